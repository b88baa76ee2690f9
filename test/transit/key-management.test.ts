/**
 * A Kubernetes KMS provider (protocol v2) that keeps its key in the service: what it asks for is replayed, with one
 * token, beside retries whose answer was lost. Every ciphertext opens, no payload is read, and sizes stay below 1 kB.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { aesKey, base64, bytesOf, grant } from '../support/transit.ts'

/** Encryptions and decryptions, most of them in batches as a busy API server has them under way. */
const OPERATIONS = 10_000
const AT_ONCE = 100
/** The bound of Kubernetes for a ciphertext and for a key id, in bytes. */
const MOST_BYTES = 1_024

let plugin: Person
let key: string

beforeAll(async () => {
  const who = await owner()
  key = await aesKey(who, { extractable: false })
  plugin = await person(['reader'])
  await grant(who, key, { [plugin.userId]: ['encrypt', 'decrypt', 'rewrap'] }, { 'project-access': false })
}, HOOK_MILLISECONDS)

const asked = (operation: string, json: object) => call('POST', `${key}/${operation}`, { token: plugin.token, json })
const status = async () => (await call('GET', `${key}/key`, { token: plugin.token })).json.key.key_id

interface Sealed {
  readonly ciphertext: string
  readonly key_id: string
}

describe('a KMS provider of Kubernetes', () => {
  it('Status names the key by which Encrypt answers, in fewer bytes than Kubernetes allows', async () => {
    const keyId = await status()
    expect(keyId).toBe(`${idOf(key)}@1`)
    const { json } = await asked('encrypt', { plaintext: base64(crypto.getRandomValues(new Uint8Array(32))) })
    expect(json.key_id).toBe(keyId)
    expect(bytesOf(json.ciphertext)).toHaveLength(94)
    expect(json.ciphertext.length).toBe(128)
    expect(new TextEncoder().encode(keyId).length).toBeLessThan(MOST_BYTES)
  })

  it(`${OPERATIONS} operations give back what was encrypted, also when they are sent twice`, async () => {
    let done = 0
    for (let round = 0; done < OPERATIONS; round += 1) {
      const plaintexts = Array.from({ length: AT_ONCE }, () => base64(crypto.getRandomValues(new Uint8Array(32))))
      const sending = () => asked('encrypt', { batch: plaintexts.map((plaintext) => ({ plaintext })) })
      // The answer of every tenth request is lost, and the request is sent again.
      if (round % 10 === 0) await sending()
      const sealed: Sealed[] = (await sending()).json.results
      expect(new Set(sealed.map(({ key_id: id }) => id))).toEqual(new Set([await status()]))
      expect(Math.max(...sealed.map(({ ciphertext }) => ciphertext.length))).toBeLessThan(MOST_BYTES)
      const opening = await asked('decrypt', { batch: sealed.map(({ ciphertext }) => ({ ciphertext })) })
      const opened: { plaintext: string }[] = opening.json.results
      expect(opened.map(({ plaintext }) => plaintext)).toEqual(plaintexts)
      done += 2 * AT_ONCE
    }
    expect((await call('GET', `${key}/payload`, { token: plugin.token })).status).toBe(403)
  }, 120_000)
})
