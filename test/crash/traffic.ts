/** Mixed writes, and what the service acknowledged of them. */
import { createPrivateKey, createPublicKey, randomBytes, randomInt, X509Certificate } from 'node:crypto'
import vectors from '../vectors/certificate-requests.json' with { type: 'json' }

/** What was acknowledged and must be there after any crash. */
export interface Acknowledged {
  /** Payload of each stored secret, in base64, by ref. */
  readonly secrets: Map<string, string>
  /** Acknowledged orders whose end has not been seen, with the time (milliseconds) of their acceptance. */
  readonly orders: Map<string, { readonly type: string; readonly accepted: number }>
  /** Orders seen to have ended, with the ref of their result; empty for ERROR. */
  readonly ended: Map<string, string>
}

export const nothing = (): Acknowledged => ({ secrets: new Map(), orders: new Map(), ended: new Map() })

export interface Client {
  readonly url: string
  readonly token: string
}

async function call({ url, token }: Client, method: string, path: string, json?: unknown): Promise<Response> {
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' }
  const target = path.startsWith('http') ? path : url + path
  return fetch(target, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) })
}

async function storeSecret(client: Client, known: Acknowledged): Promise<void> {
  const payload = randomBytes(randomInt(1, 2_000)).toString('base64')
  const response = await call(client, 'POST', '/v1/secrets', {
    payload,
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
  })
  const { secret_ref: ref } = (await response.json()) as { secret_ref: string }
  if (response.status === 201) known.secrets.set(ref, payload)
}

/** The passphrase of ordered keys. */
export const PASSPHRASE = randomBytes(24).toString('base64url')

const wantedOrders = [
  { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } },
  { type: 'key', meta: { algorithm: 'hmacsha256', bit_length: 128 } },
  { type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 256 } },
  { type: 'asymmetric', meta: { algorithm: 'rsa', bit_length: 2048, passphrase: PASSPHRASE } },
  { type: 'asymmetric', meta: { algorithm: 'ed25519', bit_length: 256 } },
  { type: 'certificate', meta: { request_type: 'simple-cmc', request_data: vectors.requests.p256 } },
]

async function placeOrder(client: Client, known: Acknowledged): Promise<void> {
  const wanted = wantedOrders[randomInt(wantedOrders.length)]!
  const response = await call(client, 'POST', '/v1/orders', wanted)
  const { order_ref: ref } = (await response.json()) as { order_ref: string }
  if (response.status === 202) known.orders.set(ref, { type: wanted.type, accepted: Date.now() })
}

/** Writes on several connections until `stopped()`; a connection that breaks ends its writer. */
export async function write(client: Client, known: Acknowledged, stopped: () => boolean): Promise<void> {
  const writer = async () => {
    while (!stopped()) {
      try {
        await (randomInt(2) === 0 ? storeSecret(client, known) : placeOrder(client, known))
      } catch {
        return
      }
    }
  }
  await Promise.all(Array.from({ length: 4 }, writer))
}

async function payloadOf(client: Client, ref: string): Promise<Buffer> {
  const response = await fetch(`${ref}/payload`, {
    headers: { 'X-Auth-Token': client.token, Accept: 'application/octet-stream' },
  })
  if (response.status !== 200) throw new Error(`${ref}: ${response.status} ${await response.text()}`)
  return Buffer.from(await response.arrayBuffer())
}

/** Throws unless every given secret opens and is what was stored. */
export async function verifySecrets(client: Client, secrets: Iterable<readonly [string, string]>): Promise<void> {
  for (const [ref, payload] of secrets) {
    if ((await payloadOf(client, ref)).toString('base64') !== payload) throw new Error(`${ref} opens to something else`)
  }
}

interface ShownOrder {
  readonly status: string
  readonly secret_ref?: string
  readonly container_ref?: string
}

/** Throws unless the container is whole: a pair whose halves belong together, or a certificate with its intermediates. */
async function verifyContainer(client: Client, containerRef: string, type: string | undefined): Promise<void> {
  const response = await call(client, 'GET', containerRef)
  const { secret_refs: refs } = (await response.json()) as { secret_refs: { name: string; secret_ref: string }[] }
  const read = async (name: string) => {
    const found = refs.filter((one) => one.name === name)
    if (found.length > 1) throw new Error(`${containerRef} has two of ${name}`)
    return found[0] && (await payloadOf(client, found[0].secret_ref)).toString()
  }
  if (type === 'certificate') {
    const [certificate, intermediates] = [await read('certificate'), await read('intermediates')]
    if (!certificate || !intermediates?.includes('PKCS7')) throw new Error(`${containerRef} is incomplete`)
    const { subject } = new X509Certificate(certificate)
    if (!subject.includes('CN=server.example')) throw new Error(`${containerRef} is for another subject`)
    return
  }
  const [key, publicKey, passphrase] = [
    await read('private_key'),
    await read('public_key'),
    await read('private_key_passphrase'),
  ]
  if (!key || !publicKey) throw new Error(`${containerRef} is incomplete`)
  const derived = createPublicKey(createPrivateKey({ key, ...(passphrase && { passphrase }) }))
  const written = derived.export({ type: 'spki', format: 'pem' }).toString()
  if (written.trim() !== publicKey.trim()) throw new Error(`the halves in ${containerRef} differ`)
}

/** Asks after an order; when it has ended its result must be whole. Gives whether it has. Throws when it is lost. */
export async function verifyOrder(client: Client, known: Acknowledged, ref: string, most: number): Promise<boolean> {
  const response = await call(client, 'GET', ref)
  if (response.status !== 200) throw new Error(`${ref} is lost: ${response.status}`)
  const order = (await response.json()) as ShownOrder
  const { accepted = 0, type } = known.orders.get(ref) ?? {}
  if (order.status === 'PENDING') {
    if (Date.now() - accepted > most) throw new Error(`${ref} is still PENDING after ${most} ms`)
    return false
  }
  const result = order.secret_ref ?? order.container_ref ?? ''
  if (order.status === 'ACTIVE' && !result) throw new Error(`${ref} is ACTIVE without a result`)
  if (order.secret_ref) await payloadOf(client, order.secret_ref)
  if (order.container_ref) await verifyContainer(client, order.container_ref, type)
  known.orders.delete(ref)
  known.ended.set(ref, result)
  return true
}
