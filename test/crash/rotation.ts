/** Rotates master keys and project keys as an operator does, while the service is in use. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isBroken, type Client } from './client.ts'

const domain = { id: 'default' }
/** The pause between two rotations, which leaves time for other requests on a machine with few cores. */
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

/** The totals of all rotations. */
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

/** Logs in as the administrator, with the role that is required to rotate keys. */
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
  if (report.unreadable > 0) throw new Error(`${report.unreadable} values cannot be resealed`)
  tally.superseded += report.superseded
  tally.resealed += report.resealed
  return report
}

/** Supersedes every project key repeatedly until `stopped()`; after that, a broken connection is not an error. */
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

/** The master keys, the primary first, starting with those of the state folder. */
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

  /** All keys that have been in the ring, by id. */
  get ever(): Readonly<Record<string, Uint8Array>> {
    const parts = this.#ever.map((entry) => entry.split(':'))
    return Object.fromEntries(parts.map(([id = '', key = '']) => [id, Buffer.from(key, 'base64')]))
  }

  /** Removes the keys that the service reports as removable. */
  async removeUnused({ url, token }: Client): Promise<void> {
    const response = await fetch(`${url}/admin/rotate`, { headers: { 'X-Auth-Token': token } })
    const { master_keys: keys } = (await response.json()) as Report
    const removable = new Set(keys.filter((key) => key.removable).map(({ id }) => id))
    this.#entries = this.#entries.filter((entry) => !removable.has(entry.slice(0, entry.indexOf(':'))))
  }
}

/** Continues until nothing depends on an older key, and removes the older keys. Throws if that takes too many steps. */
export async function finish(client: Client, ring: Ring): Promise<void> {
  for (let left = MOST_FINAL_STEPS; left > 0; left -= 1) {
    const { project_keys: keys, master_keys: masters } = await step(client)
    const isLast = keys.superseded === 0 && keys.values === 0
    if (isLast && masters.every(({ removable }, at) => removable === at > 0)) return ring.removeUnused(client)
  }
  throw new Error(`the rotation did not finish in ${MOST_FINAL_STEPS} steps`)
}
