/** Mixed writes, and what the service acknowledged of them. */
import { randomBytes, randomInt } from 'node:crypto'
import vectors from '../vectors/certificate-requests.json' with { type: 'json' }

export interface PlacedOrder {
  readonly type: string
  readonly name: string
  /** Milliseconds; of an order that was updated, when that was. */
  readonly accepted: number
}

/** What was acknowledged and must be there after any crash, and what was asked to be gone. */
export interface Acknowledged {
  /** Payload of each stored secret, in base64, by ref. */
  readonly secrets: Map<string, string>
  /** Orders whose end has not been seen. */
  readonly orders: Map<string, PlacedOrder>
  /** Orders seen to have ended, with the ref of their result; empty for ERROR. */
  readonly ended: Map<string, PlacedOrder & { readonly result: string }>
  /** What may be there without its owner, because its owner was to be deleted: ids, and the names of orders. */
  readonly released: Set<string>
  /** Refs of what was changed, by what was done to it; a revocation is that of the certificate in a container. */
  readonly changed: Readonly<Record<'create' | 'update' | 'delete' | 'revoke', Set<string>>>
  /** How many secrets were read while others wrote. */
  reads: number
}

export const nothing = (): Acknowledged => ({
  secrets: new Map(),
  orders: new Map(),
  ended: new Map(),
  released: new Set(),
  changed: { create: new Set(), update: new Set(), delete: new Set(), revoke: new Set() },
  reads: 0,
})

export interface Client {
  readonly url: string
  readonly token: string
}

/** One request; `path` may be a ref. Throws when the service fails, and when it is killed meanwhile; {@link isBroken}. */
export async function call({ url, token }: Client, method: string, path: string, json?: unknown): Promise<Response> {
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' }
  const target = path.startsWith('http') ? path : url + path
  const response = await fetch(target, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) })
  if (response.status >= 500) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}

/** The id behind a ref. */
export const idOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

export const oneOf = <Value>(values: Iterable<Value>): Value | undefined => {
  const all = [...values]
  return all[randomInt(Math.max(all.length, 1))]
}

type Write = (client: Client, known: Acknowledged) => Promise<void>

/** The passphrase of ordered keys. */
export const PASSPHRASE = randomBytes(24).toString('base64url')
/** What the secrets are called that no order made. */
export const STORED = 'stored'

const storeSecret: Write = async (client, known) => {
  const payload = randomBytes(randomInt(1, 2_000)).toString('base64')
  const response = await call(client, 'POST', '/v1/secrets', {
    name: STORED,
    payload,
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
  })
  const { secret_ref: ref } = (await response.json()) as { secret_ref: string }
  if (response.status !== 201) return
  known.secrets.set(ref, payload)
  known.changed.create.add(ref)
}

const request = (data: string) => ({ request_type: 'simple-cmc', request_data: data })

/** The pair of an earlier order, which may be deleted at any moment. */
function storedKey({ ended }: Acknowledged) {
  const pairs = [...ended.values()].slice(-200).filter(({ type, result }) => type === 'asymmetric' && result)
  const ref = oneOf(pairs)?.result ?? 'none yet'
  return { request_type: 'stored-key', container_ref: ref, subject_dn: 'cn=server.example,o=Example' }
}

const wantedOrders: readonly ((known: Acknowledged, name: string) => { type: string; meta: object })[] = [
  (_, name) => ({ type: 'key', meta: { name, algorithm: 'aes', bit_length: 256 } }),
  (_, name) => ({ type: 'key', meta: { name, algorithm: 'hmacsha256', bit_length: 128 } }),
  (_, name) => ({ type: 'asymmetric', meta: { name, algorithm: 'ec', bit_length: 256 } }),
  (_, name) => ({
    type: 'asymmetric',
    meta: { name, algorithm: 'rsa', bit_length: 2048, passphrase: PASSPHRASE },
  }),
  (_, name) => ({ type: 'asymmetric', meta: { name, algorithm: 'ed25519', bit_length: 256 } }),
  () => ({ type: 'certificate', meta: request(vectors.requests.p256) }),
  () => ({ type: 'certificate', meta: request(vectors.requests.short) }),
  (known) => ({ type: 'certificate', meta: storedKey(known) }),
]

const placeOrder: Write = async (client, known) => {
  const name = randomBytes(8).toString('hex')
  const wanted = wantedOrders[randomInt(wantedOrders.length)]!(known, name)
  const response = await call(client, 'POST', '/v1/orders', wanted)
  const { order_ref: ref } = (await response.json()) as { order_ref: string }
  if (response.status !== 202) return
  known.orders.set(ref, { type: wanted.type, name, accepted: Date.now() })
  known.changed.create.add(ref)
}

/** Gives a certificate order that failed a request that can be served. */
const updateOrder: Write = async (client, known) => {
  const failed = [...known.ended].filter(([, { type, result }]) => type === 'certificate' && !result)
  const [ref, order] = oneOf(failed) ?? []
  if (!ref || !order) return
  known.ended.delete(ref)
  known.orders.set(ref, { ...order, accepted: Date.now() })
  const { status } = await call(client, 'PUT', ref, { meta: request(vectors.requests.p384) })
  if (status === 204) known.changed.update.add(ref)
}

async function remove(client: Client, known: Acknowledged, ref: string, query = ''): Promise<boolean> {
  const { status } = await call(client, 'DELETE', ref + query)
  if (status === 204) known.changed.delete.add(ref)
  return status === 204
}

const deleteSecret: Write = async (client, known) => {
  const ref = oneOf(known.secrets.keys())
  if (!ref) return
  known.secrets.delete(ref)
  await remove(client, known, ref)
}

/** Deletes an order, one in two while its run may be under way; what it made, if anything, stays. */
const deleteOrder: Write = async (client, known) => {
  const [from, orders] = randomInt(2) === 0 ? [known.ended, known.ended] : [known.orders, known.orders]
  const waiting = [...orders].filter(([, { type }]) => orders === known.ended || type !== 'certificate')
  const [ref, order] = oneOf(waiting) ?? []
  if (!ref || !order) return
  from.delete(ref)
  known.released.add('result' in order ? idOf(String(order.result)) : order.name)
  await remove(client, known, ref)
}

/** Deletes what an order made, and revokes it if it is a certificate; its secrets stay. */
const deleteContainer: Write = async (client, known) => {
  const made = [...known.ended.values()].filter(({ type, result }) => type !== 'key' && result)
  const { type, result } = oneOf(made) ?? {}
  if (!result || known.released.has(idOf(result))) return
  const response = await call(client, 'GET', result)
  if (response.status !== 200) return
  const { secret_refs: refs } = (await response.json()) as { secret_refs: { secret_ref: string }[] }
  for (const ref of [result, ...refs.map(({ secret_ref }) => secret_ref)]) known.released.add(idOf(ref))
  const revokes = type === 'certificate' && randomInt(2) === 0
  const gone = await remove(client, known, result, revokes ? '?revoke=true' : '')
  if (gone && revokes) known.changed.revoke.add(result)
}

const writes: readonly Write[] = [
  ...Array.from({ length: 6 }, () => storeSecret),
  ...Array.from({ length: 9 }, () => placeOrder),
  updateOrder,
  deleteSecret,
  deleteOrder,
  deleteContainer,
]

/** Whether the connection broke: what fetch makes of it when the service that it asks is killed. */
export const isBroken = (error: unknown): boolean =>
  error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)

/** Traffic that goes on. */
export interface Traffic {
  /** Settles with the first answer. */
  readonly answered: Promise<unknown>
  /** Settles when every writer has ended. */
  readonly ended: Promise<unknown>
}

/** Writes on so many connections until `stopped()`, from when on connections may break. */
export function write(client: Client, known: Acknowledged, stopped: () => boolean, connections: number): Traffic {
  const one = () => writes[randomInt(writes.length)]!(client, known)
  const writer = async (first: Promise<void>) => {
    try {
      await first
      while (!stopped()) await one()
    } catch (error) {
      if (!stopped() || !isBroken(error)) throw error
    }
  }
  const firsts = Array.from({ length: connections }, one)
  return { ended: Promise.all(firsts.map(writer)), answered: Promise.any(firsts).catch(() => null) }
}
