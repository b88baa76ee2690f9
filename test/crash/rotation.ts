/** Rotation of master keys and project keys, as an operator does it while the service is used. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './traffic.ts'

const domain = { id: 'default' }
/** Between two rotations, so that there is time for other requests on a machine with few cores. */
const PAUSE_MILLISECONDS = 50

interface Named {
  readonly id: string
}

interface Report {
  readonly superseded: number
  readonly resealed: number
  readonly rewrapped: number
  readonly unreadable: number
  readonly master_keys: readonly { readonly id: string; readonly removable: boolean }[]
  readonly project_keys: { readonly superseded: number; readonly values: number }
}

/** What the rotations of a run did. */
export const tally = { superseded: 0, resealed: 0, rewrapped: 0 }

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
  tally.rewrapped += report.rewrapped
  return report
}

/** Supersedes every project key again and again until `stopped()` or until the connection breaks. */
export async function rotate(client: Client, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    try {
      await step(client, { project_keys: {} })
      await sleep(PAUSE_MILLISECONDS)
    } catch (error) {
      if (error instanceof TypeError) return
      throw error
    }
  }
}

/** Master keys, the primary first. They begin with those of the state folder. */
export class Ring {
  #entries: readonly string[]
  readonly #prefix = randomBytes(3).toString('hex')
  #made = 0

  constructor(masterKeys: string) {
    this.#entries = masterKeys.split(',')
  }

  /** How many keys were primary after the first one. */
  get made(): number {
    return this.#made
  }

  toString(): string {
    return this.#entries.join(',')
  }

  addPrimary(): void {
    this.#made += 1
    const entry = `${this.#prefix}-${this.#made}:${randomBytes(32).toString('base64')}`
    this.#entries = [entry, ...this.#entries]
  }

  /** Takes those out that the service says nothing depends on. */
  async removeUnused({ url, token }: Client): Promise<void> {
    const response = await fetch(`${url}/admin/rotate`, { headers: { 'X-Auth-Token': token } })
    const { master_keys: keys } = (await response.json()) as Report
    const removable = new Set(keys.filter((key) => key.removable).map(({ id }) => id))
    this.#entries = this.#entries.filter((entry) => !removable.has(entry.slice(0, entry.indexOf(':'))))
  }
}

/** Goes on until nothing depends on an older key; throws when that does not come to an end. */
export async function finish(client: Client, mostSteps: number): Promise<void> {
  for (let left = mostSteps; left > 0; left -= 1) {
    const { project_keys: keys, master_keys: masters } = await step(client)
    if (keys.superseded === 0 && keys.values === 0 && masters.every(({ removable }, at) => removable === at > 0)) return
  }
  throw new Error(`the rotation did not end in ${mostSteps} steps`)
}
