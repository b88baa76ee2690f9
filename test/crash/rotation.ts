/** Rotation of master keys and project keys, as an operator does it while the service is used. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isBroken, type Client } from './traffic.ts'

const domain = { id: 'default' }
/** Between two rotations, so that there is time for other requests on a machine with few cores. */
const PAUSE_MILLISECONDS = 50
const MOST_FINAL_STEPS = 200

interface Named {
  readonly id: string
}

interface Report {
  readonly superseded: number
  readonly resealed: number
  readonly unreadable: number
  readonly master_keys: readonly { readonly id: string; readonly removable: boolean }[]
  readonly project_keys: { readonly superseded: number; readonly values: number }
}

/** What the rotations of a run did. */
export const tally = { superseded: 0, resealed: 0 }

async function logIn(url: string, password: string): Promise<string> {
  const user = { name: 'admin', domain, password }
  const scope = { project: { name: 'admin', domain } }
  const body = JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope } })
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(`${url}/identity/v3/auth/tokens`, { method: 'POST', headers, body })
  const token = response.headers.get('X-Subject-Token')
  if (!token) throw new Error(`the administrator was refused: ${response.status}`)
  return token
}

/** The administrator as operator: somebody with the role that rotates keys. */
export async function operator(url: string, password: string): Promise<Client> {
  const token = await logIn(url, password)
  const headers = { 'X-Auth-Token': token, 'X-Subject-Token': token }
  const own = await fetch(`${url}/identity/v3/auth/tokens`, { headers })
  const { token: self }: { token: { user: Named; project: Named } } = await own.json()
  const found = await fetch(`${url}/identity/v3/roles?name=key-manager%3Aservice-admin`, { headers })
  const { roles }: { roles: readonly Named[] } = await found.json()
  const grant = `${url}/identity/v3/projects/${self.project.id}/users/${self.user.id}/roles/${roles[0]?.id}`
  await fetch(grant, { method: 'PUT', headers })
  return { url, token: await logIn(url, password) }
}

async function step({ url, token }: Client, body?: object): Promise<Report> {
  const headers = { 'X-Auth-Token': token, ...(body && { 'Content-Type': 'application/json' }) }
  const init = { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) }
  const response = await fetch(`${url}/admin/rotate`, init)
  if (response.status !== 200) throw new Error(`rotation: ${response.status} ${await response.text()}`)
  const report = (await response.json()) as Report
  if (report.unreadable > 0) throw new Error(`${report.unreadable} values cannot be sealed again`)
  tally.superseded += report.superseded
  tally.resealed += report.resealed
  return report
}

/** Supersedes every project key again and again until `stopped()`, from when on the connection may break. */
export async function rotate(client: Client, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    try {
      await step(client, { project_keys: {} })
      await sleep(PAUSE_MILLISECONDS)
    } catch (error) {
      if (stopped() && isBroken(error)) return
      throw error
    }
  }
}

/** Master keys, the primary first. They begin with those of the state folder. */
export class Ring {
  #entries: readonly string[]
  readonly #ever: string[]

  constructor(masterKeys: string) {
    this.#entries = masterKeys.split(',')
    this.#ever = [...this.#entries]
  }

  toString(): string {
    return this.#entries.join(',')
  }

  addPrimary(): void {
    const entry = `ring-${this.#ever.length}:${randomBytes(32).toString('base64')}`
    this.#entries = [entry, ...this.#entries]
    this.#ever.push(entry)
  }

  /** The bytes of every key that was ever in the ring, by its id. */
  get ever(): Readonly<Record<string, Uint8Array>> {
    const parts = this.#ever.map((entry) => entry.split(':'))
    return Object.fromEntries(parts.map(([id = '', key = '']) => [id, Buffer.from(key, 'base64')]))
  }

  /** Takes those out that the service says nothing depends on. */
  async removeUnused({ url, token }: Client): Promise<void> {
    const response = await fetch(`${url}/admin/rotate`, { headers: { 'X-Auth-Token': token } })
    const { master_keys: keys } = (await response.json()) as Report
    const removable = new Set(keys.filter((key) => key.removable).map(({ id }) => id))
    this.#entries = this.#entries.filter((entry) => !removable.has(entry.slice(0, entry.indexOf(':'))))
  }
}

/** Goes on until nothing depends on an older key, and takes these out; throws when that does not come to an end. */
export async function finish(client: Client, ring: Ring): Promise<void> {
  for (let left = MOST_FINAL_STEPS; left > 0; left -= 1) {
    const { project_keys: keys, master_keys: masters } = await step(client)
    const isLast = keys.superseded === 0 && keys.values === 0
    if (isLast && masters.every(({ removable }, at) => removable === at > 0)) return ring.removeUnused(client)
  }
  throw new Error(`the rotation did not end in ${MOST_FINAL_STEPS} steps`)
}
