/** Verifies, as the owner of the resources, that what was acknowledged exists, decrypts and is complete. */
import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Acknowledged } from './acknowledged.ts'
import { call, isBroken, oneOf, type Client } from './client.ts'

/** The number of parallel requests. */
const LANES = 4

/** Runs `check` for each of the items, some in parallel; throws the first error. */
export async function each<Item>(items: Iterable<Item>, check: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items][Symbol.iterator]()
  const lane = async () => {
    for (const item of waiting) await check(item)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

async function payloadOf(client: Client, ref: string): Promise<Buffer> {
  const response = await fetch(`${ref}/payload`, {
    headers: { 'X-Auth-Token': client.token, Accept: 'application/octet-stream' },
  })
  if (response.status !== 200) throw new Error(`${ref}: ${response.status} ${await response.text()}`)
  return Buffer.from(await response.arrayBuffer())
}

/** Throws unless the payload can be read and is the one that was stored. */
export async function verifySecret(client: Client, [ref, payload]: readonly [string, string]): Promise<void> {
  if ((await payloadOf(client, ref)).toString('base64') !== payload) throw new Error(`${ref} has another payload`)
}

/**
 * Reads acknowledged secrets on several connections until `stopped()`; after that, broken connections are not errors.
 * Throws if a read fails.
 */
export async function read(
  client: Client,
  known: Acknowledged,
  stopped: () => boolean,
  connections: number,
): Promise<void> {
  const reader = async () => {
    while (!stopped()) {
      const secret = oneOf(known.secrets)
      try {
        await (secret ? verifySecret(client, secret) : sleep(1))
        if (secret) known.reads += 1
      } catch (error) {
        if (stopped() && isBroken(error)) return
        // A secret is removed from `known` before it is deleted: a failed read of it is then not an error.
        if (secret && known.secrets.has(secret[0])) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, reader))
}

const publicPem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString().trim()

/** Throws unless the container is complete: a pair of matching keys, or a certificate that matches its key, if any. */
async function verifyContainer(client: Client, containerRef: string, type: string): Promise<void> {
  const response = await call(client, 'GET', containerRef)
  if (response.status !== 200) throw new Error(`${containerRef} is lost: ${response.status}`)
  const { secret_refs: refs } = (await response.json()) as { secret_refs: { name: string; secret_ref: string }[] }
  const read = async (name: string) => {
    const found = refs.filter((one) => one.name === name)
    if (found.length > 1) throw new Error(`${containerRef} has two of ${name}`)
    return found[0] && (await payloadOf(client, found[0].secret_ref)).toString()
  }
  const [key, passphrase] = [await read('private_key'), await read('private_key_passphrase')]
  const derived = key && publicPem(createPublicKey(createPrivateKey({ key, ...(passphrase && { passphrase }) })))
  if (type === 'certificate') {
    const [certificate, intermediates] = [await read('certificate'), await read('intermediates')]
    if (!certificate || !intermediates?.includes('PKCS7')) throw new Error(`${containerRef} is incomplete`)
    const { subject, publicKey } = new X509Certificate(certificate)
    if (!subject.includes('CN=server.example')) throw new Error(`${containerRef} is for another subject`)
    if (derived && publicPem(publicKey) !== derived) throw new Error(`${containerRef} is for another key`)
    return
  }
  const publicKey = await read('public_key')
  if (!derived || !publicKey) throw new Error(`${containerRef} is incomplete`)
  if (derived !== publicKey.trim()) throw new Error(`the halves in ${containerRef} differ`)
}

interface ShownOrder {
  readonly status: string
  readonly secret_ref?: string
  readonly container_ref?: string
}

/** Reads an open order. Throws if it is lost or takes too long, or if it has finished with an incomplete result. */
export async function verifyOrder(client: Client, known: Acknowledged, ref: string, most: number): Promise<void> {
  const placed = known.orders.get(ref)
  if (!placed) return
  const response = await call(client, 'GET', ref)
  if (response.status !== 200) throw new Error(`${ref} is lost: ${response.status}`)
  const order = (await response.json()) as ShownOrder
  if (order.status === 'PENDING') {
    if (Date.now() - placed.accepted > most) throw new Error(`${ref} is still PENDING after ${most} ms`)
    return
  }
  const result = order.secret_ref ?? order.container_ref ?? ''
  if (order.status === 'ACTIVE' && !result) throw new Error(`${ref} is ACTIVE without a result`)
  if (order.secret_ref) await payloadOf(client, order.secret_ref)
  if (order.container_ref) await verifyContainer(client, order.container_ref, placed.type)
  known.orders.delete(ref)
  known.ended.set(ref, { ...placed, result })
  if (result) known.changed.create.add(result)
  // A symmetric key is created together with its order, so the order has no update event.
  if (placed.type !== 'key') known.changed.update.add(ref)
}
