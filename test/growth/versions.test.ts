/**
 * Growth of versions: what a secret costs that has a hundred of them, the most there can be, beside one that has two. Reads
 * of a payload or of one version, and the use of a key under its first version, cost the same. Lists and new versions send
 * as many statements in as many trips, and read the numbers of that secret's versions once, or twice for a full list.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { countedService, type Cost } from '../support/counting.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { HOOK_MILLISECONDS, peopleOf } from '../support/people.ts'
import { base64 } from '../support/transit.ts'

const keystone = fakeKeystone()
const send = countedService(keystoneVariables)
const { token } = peopleOf(keystone)(['admin', 'creator'])

/** Payloads of a secret that are kept at most, the present one included. */
const MOST_VERSIONS = 100

const octets = () => ({
  payload: base64(crypto.getRandomValues(new Uint8Array(32))),
  payload_content_type: 'application/octet-stream',
  payload_content_encoding: 'base64',
})

async function addVersions(ref: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1)
    expect((await send('POST', `${ref}/versions`, { token, json: octets() })).status).toBe(201)
}

/** Creates a secret with two versions, or with as many as there can be. */
async function secretWith(members: object, more: 'two' | 'most'): Promise<string> {
  const { json } = await send('POST', '/v1/secrets', { token, json: { ...octets(), ...members } })
  const ref: string = json.secret_ref
  await send('PUT', `${ref}/versioning`, { token, json: { put: 'replace', keep: MOST_VERSIONS } })
  // One more is made by `PUT` and one by `POST` when they are measured.
  await addVersions(ref, more === 'two' ? 1 : MOST_VERSIONS - 1)
  return ref
}

/** Of a secret and of a key, with two versions and with the most. */
interface Refs {
  readonly secret: string
  readonly key: string
  readonly ciphertext: string
}
const refs: Partial<Record<'two' | 'most', Refs>> = {}

beforeAll(async () => {
  for (const many of ['two', 'most'] as const) {
    const secret = await secretWith({}, many)
    // From here on each version destroys another one.
    if (many === 'most') await addVersions(secret, MOST_VERSIONS)
    const key = await secretWith({ secret_type: 'symmetric' }, 'two')
    const { json } = await send('POST', `${key}/encrypt`, { token, json: { plaintext: 'AA==', key_version: 1 } })
    if (many === 'most') await addVersions(key, MOST_VERSIONS - 2)
    refs[many] = { secret, key, ciphertext: json.ciphertext }
  }
}, HOOK_MILLISECONDS)

type Asking = (of: Refs) => readonly [method: string, path: string, request: object]

async function costsOf(asking: Asking): Promise<readonly [few: Cost, most: Cost]> {
  // The first read of an isolate asks how old the state is that answers.
  await send('GET', '/v1/secrets', { token })
  const cost = async (of: Refs | undefined) => {
    if (!of) throw new Error('nothing was created')
    const [method, path, request] = asking(of)
    const answer = await send(method, path, { token, ...request })
    expect([path, answer.status]).toEqual([path, expect.toSatisfy((status: number) => status < 300)])
    return answer.cost
  }
  return [await cost(refs.two), await cost(refs.most)]
}
const shape = ({ trips, objectCalls, statements }: Cost) => [trips, objectCalls, statements.length]

const same: Readonly<Record<string, Asking>> = {
  'metadata GET': ({ secret }) => ['GET', secret, { headers: { Accept: 'application/json' } }],
  'payload GET': ({ secret }) => ['GET', `${secret}/payload`, {}],
  'payload GET of the previous version': ({ secret }) => ['GET', `${secret}/versions/previous/payload`, {}],
  'version GET': ({ secret }) => ['GET', `${secret}/versions/current`, {}],
  encryption: ({ key }) => ['POST', `${key}/encrypt`, { json: { plaintext: 'AA==' } }],
  'decryption under the first version': ({ key, ciphertext }) => ['POST', `${key}/decrypt`, { json: { ciphertext } }],
}

/** Operations that read the rows of the secret, and how many more rows those are at most. */
const reading: Readonly<Record<string, readonly [rows: number, asking: Asking]>> = {
  'list of ten versions': [MOST_VERSIONS + 10, ({ secret }) => ['GET', `${secret}/versions?limit=10`, {}]],
  'list of a hundred versions': [2 * MOST_VERSIONS, ({ secret }) => ['GET', `${secret}/versions?limit=100`, {}]],
  'version POST': [MOST_VERSIONS + 10, ({ secret }) => ['POST', `${secret}/versions`, { json: octets() }]],
  'payload PUT': [
    MOST_VERSIONS + 10,
    ({ secret }) => ['PUT', secret, { body: 'x', headers: { 'Content-Type': 'text/plain' } }],
  ],
}

describe('a secret with many versions', () => {
  it.each(Object.entries(same))('the operation "%s" costs what it costs with two versions', async (_name, asking) => {
    const [few, most] = await costsOf(asking)
    expect(shape(most)).toEqual(shape(few))
    expect([most.rowsRead, most.rowsWritten]).toEqual([few.rowsRead, few.rowsWritten])
    expect(most.trips).toBe(1)
  })

  it.each(Object.entries(reading))(
    'the operation "%s" sends as many statements as with two versions, and reads the numbers of its versions',
    async (_name, [rows, asking]) => {
      const [few, most] = await costsOf(asking)
      expect(shape(most)).toEqual(shape(few))
      expect(most.rowsRead - few.rowsRead).toBeLessThanOrEqual(rows)
      expect(most.rowsWritten - few.rowsWritten).toBeLessThanOrEqual(2)
    },
  )
})
