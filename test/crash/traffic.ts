/** Sends mixed writes, and records what the service acknowledged. */
import { randomBytes, randomInt } from 'node:crypto'
import vectors from '../vectors/certificate-requests.json' with { type: 'json' }
import { STORED, type Acknowledged } from './acknowledged.ts'
import { call, idOf, isBroken, oneOf, type Client } from './client.ts'
import { versionWrites } from './versions.ts'

type Write = (client: Client, known: Acknowledged) => Promise<void>

/** The passphrase of ordered keys. */
export const PASSPHRASE = randomBytes(24).toString('base64url')

const saveSecret: Write = async (client, known) => {
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

/** A certificate request for the key pair of an earlier order, which may be deleted concurrently. */
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

/** Updates a failed certificate order with a valid request. */
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

/** Deletes an order, half of the time one that may be running; its results, if any, remain. */
const deleteOrder: Write = async (client, known) => {
  const [from, orders] = randomInt(2) === 0 ? [known.ended, known.ended] : [known.orders, known.orders]
  const waiting = [...orders].filter(([, { type }]) => orders === known.ended || type !== 'certificate')
  const [ref, order] = oneOf(waiting) ?? []
  if (!ref || !order) return
  from.delete(ref)
  known.released.add('result' in order ? idOf(String(order.result)) : order.name)
  await remove(client, known, ref)
}

/** Deletes the container of an order, and revokes half of the certificates; the secrets in it remain. */
const deleteContainer: Write = async (client, known) => {
  const created = [...known.ended.values()].filter(({ type, result }) => type !== 'key' && result)
  const { type, result } = oneOf(created) ?? {}
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
  ...Array.from({ length: 6 }, () => saveSecret),
  ...Array.from({ length: 9 }, () => placeOrder),
  updateOrder,
  deleteSecret,
  deleteOrder,
  deleteContainer,
  ...versionWrites,
]

/** Traffic in progress. */
export interface Traffic {
  /** Settles with the first response. */
  readonly answered: Promise<unknown>
  /** Settles when every writer has ended. */
  readonly ended: Promise<unknown>
}

/** Writes on several connections until `stopped()`; after that, broken connections are not errors. */
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
