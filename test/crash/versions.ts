/** Versions of secrets and keys in use, as part of the traffic of the crash test, and their verification after a crash. */
import { randomBytes } from 'node:crypto'
import { STORED, type Acknowledged, type Encrypted, type KnownVersions } from './acknowledged.ts'
import { call, oneOf, type Client } from './client.ts'

/** Versions that a secret gets in the test: fewer than the service keeps. */
const MOST_VERSIONS = 60
/** Ciphertexts that are remembered for a key, the newest ones. */
const MOST_ENCRYPTED = 20
const KEY_BYTES = 32

type Write = (client: Client, known: Acknowledged) => Promise<void>

const octets = (payload: string) => ({
  payload,
  payload_content_type: 'application/octet-stream',
  payload_content_encoding: 'base64',
})

/** Records an acknowledged version; throws if the number was given before. */
function acknowledge({ payloads }: KnownVersions, ref: string, version: number, payload: string | null): void {
  if (payloads.has(version)) throw new Error(`${ref}: version ${version} was given twice`)
  payloads.set(version, payload)
}

async function addVersion(client: Client, ref: string, of: KnownVersions, body: object, payload: string | null) {
  const response = await call(client, 'POST', `${ref}/versions`, body)
  if (response.status !== 201) return
  const { version } = (await response.json()) as { version: number }
  acknowledge(of, ref, version, payload)
}

/** Stores a secret of which no version is destroyed by itself in this test. */
const storeVersioned: Write = async (client, known) => {
  const payload = randomBytes(KEY_BYTES).toString('base64')
  const response = await call(client, 'POST', '/v1/secrets', { name: STORED, ...octets(payload) })
  if (response.status !== 201) return
  const { secret_ref: ref } = (await response.json()) as { secret_ref: string }
  const { status } = await call(client, 'PUT', `${ref}/versioning`, { keep: 100 })
  if (status === 200) known.versions.set(ref, { payloads: new Map([[1, payload]]), encrypted: [] })
}

const replacePayload: Write = async (client, known) => {
  const [ref, of] = oneOf([...known.versions].filter(([, { payloads }]) => payloads.get(1) !== null)) ?? []
  if (!ref || !of || of.payloads.size >= MOST_VERSIONS) return
  const payload = randomBytes(KEY_BYTES).toString('base64')
  await addVersion(client, ref, of, octets(payload), payload)
}

/** A key that an order made; most of the time one that has been in use. */
function keyOf(known: Acknowledged): readonly [string, KnownVersions] | undefined {
  const used = [...known.versions].filter(([, { payloads }]) => payloads.get(1) === null)
  const made = [...known.ended.values()].flatMap(({ type, result }) => (type === 'key' && result ? [result] : []))
  const ref = made.find((one) => !known.versions.has(one))
  if (!ref || used.length > 3) return oneOf(used)
  const of = { payloads: new Map<number, null>([[1, null]]), encrypted: [] }
  known.versions.set(ref, of)
  return [ref, of]
}

const rotateKey: Write = async (client, known) => {
  const [ref, of] = keyOf(known) ?? []
  if (ref && of && of.payloads.size < MOST_VERSIONS) await addVersion(client, ref, of, { generate: true }, null)
}

/** Throws unless the ciphertext opens. */
async function verifyOpens(client: Client, ref: string, { plaintext, ciphertext }: Encrypted): Promise<void> {
  const response = await call(client, 'POST', `${ref}/decrypt`, { ciphertext })
  const opened = (await response.json()) as { plaintext?: string }
  if (opened.plaintext !== plaintext) throw new Error(`${ref}: a ciphertext does not open: ${response.status}`)
}

/** Encrypts with a key, and opens what was encrypted earlier. Keys for codes are not used. */
const useKey: Write = async (client, known) => {
  const [ref, of] = keyOf(known) ?? []
  if (!ref || !of) return
  const plaintext = randomBytes(KEY_BYTES).toString('base64')
  const response = await call(client, 'POST', `${ref}/encrypt`, { plaintext })
  if (response.status !== 200) return
  const { ciphertext } = (await response.json()) as { ciphertext: string }
  of.encrypted.push({ plaintext, ciphertext })
  if (of.encrypted.length > MOST_ENCRYPTED) of.encrypted.shift()
  const earlier = oneOf(of.encrypted)
  if (earlier) await verifyOpens(client, ref, earlier)
}

/** Writes in the proportions of the traffic. */
export const versionWrites: readonly Write[] = [
  storeVersioned,
  ...Array.from({ length: 4 }, () => replacePayload),
  ...Array.from({ length: 4 }, () => rotateKey),
  ...Array.from({ length: 3 }, () => useKey),
]

interface Listed {
  readonly versions: readonly { readonly version: number; readonly status: string }[]
  readonly total: number
}

async function payloadOf({ token }: Client, ref: string, version: number): Promise<string> {
  const response = await fetch(`${ref}/versions/${version}/payload`, {
    headers: { 'X-Auth-Token': token, Accept: 'application/octet-stream' },
  })
  if (response.status !== 200) throw new Error(`${ref}: version ${version} does not open: ${response.status}`)
  return Buffer.from(await response.arrayBuffer()).toString('base64')
}

/**
 * Throws unless all acknowledged versions of the secret are there and open, numbers follow each other without gap, all
 * versions have different payloads, and everything that was encrypted opens.
 */
export async function verifyVersions(
  client: Client,
  [ref, { payloads, encrypted }]: readonly [string, KnownVersions],
): Promise<void> {
  const response = await call(client, 'GET', `${ref}/versions?limit=100`)
  if (response.status !== 200) throw new Error(`${ref} is lost: ${response.status}`)
  const { versions, total } = (await response.json()) as Listed
  const numbers = versions.map(({ version }) => version)
  const expected = Array.from({ length: total }, (_, at) => total - at)
  if (numbers.join() !== expected.join()) throw new Error(`${ref} has the versions ${numbers.join()} of ${total}`)
  if (versions[0]?.status !== 'CURRENT') throw new Error(`${ref}: the newest version is not the current one`)
  const newest = Math.max(...payloads.keys())
  if (newest > total) throw new Error(`${ref}: version ${newest} was acknowledged and is lost`)
  const opened = new Set<string>()
  for (const number of numbers) {
    const payload = await payloadOf(client, ref, number)
    const acknowledged = payloads.get(number)
    if (acknowledged && payload !== acknowledged) throw new Error(`${ref}: version ${number} has another payload`)
    opened.add(payload)
  }
  if (opened.size !== total) throw new Error(`${ref}: two versions have the same payload`)
  for (const each of encrypted) await verifyOpens(client, ref, each)
}
