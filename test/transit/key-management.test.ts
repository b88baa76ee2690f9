/**
 * A Kubernetes KMS provider (protocol v2) that keeps its key in the service: what it asks for is replayed, with one
 * token, beside retries whose answer was lost and rotations of the key. Every ciphertext opens, no payload is read, key ids
 * never return, and sizes stay below 1 kB.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { base64, bytesOf, grant } from '../support/transit.ts'

/** Encryptions and decryptions, most of them in batches as a busy API server has them under way. */
const OPERATIONS = 10_000
const AT_ONCE = 100
/** The bound of Kubernetes for a ciphertext and for a key id, in bytes. */
const MOST_BYTES = 1_024

const ENCRYPTORS = 16
const ROTATIONS = 20

let who: Person
let plugin: Person
let key: string

beforeAll(async () => {
  who = await owner()
  key = await rotatedKey()
  plugin = await person(['reader'])
  await grant(who, key, { [plugin.userId]: ['encrypt', 'decrypt', 'rewrap'] }, { 'project-access': false })
}, HOOK_MILLISECONDS)

/** Orders a key, which the service may replace because it made it. */
async function rotatedKey(): Promise<string> {
  const json = { type: 'key', meta: { algorithm: 'aes', bit_length: 256 }, extractable: false }
  const order = await call('POST', '/v1/orders', { token: who.token, json })
  return (await call('GET', order.json.order_ref, { token: who.token })).json.secret_ref
}

async function rotate(ref: string): Promise<void> {
  const answer = await call('POST', `${ref}/versions`, { token: who.token, json: { generate: true } })
  if (answer.status !== 201) throw new Error(answer.text)
}

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

  it(`${OPERATIONS} operations with two rotations give back what was encrypted, also when they are sent twice`, async () => {
    let done = 0
    const kept: { readonly plaintext: string; readonly ciphertext: string }[] = []
    const keyIds: string[] = []
    const rotations = new Set([OPERATIONS / 4, OPERATIONS / 2].map((at) => at - (at % (2 * AT_ONCE))))
    for (let round = 0; done < OPERATIONS; round += 1) {
      const plaintexts = Array.from({ length: AT_ONCE }, () => base64(crypto.getRandomValues(new Uint8Array(32))))
      const sending = () => asked('encrypt', { batch: plaintexts.map((plaintext) => ({ plaintext })) })
      if (rotations.has(done)) await rotate(key)
      // The answer of every tenth request is lost, and the request is sent again.
      if (round % 10 === 0) await sending()
      const sealed: Sealed[] = (await sending()).json.results
      const keyId = await status()
      expect(new Set(sealed.map(({ key_id: id }) => id))).toEqual(new Set([keyId]))
      if (keyIds.at(-1) !== keyId) keyIds.push(keyId)
      kept.push({ plaintext: plaintexts[0] ?? '', ciphertext: sealed[0]?.ciphertext ?? '' })
      expect(Math.max(...sealed.map(({ ciphertext }) => ciphertext.length))).toBeLessThan(MOST_BYTES)
      const opening = await asked('decrypt', { batch: sealed.map(({ ciphertext }) => ({ ciphertext })) })
      const opened: { plaintext: string }[] = opening.json.results
      expect(opened.map(({ plaintext }) => plaintext)).toEqual(plaintexts)
      done += 2 * AT_ONCE
    }
    expect(keyIds).toEqual([1, 2, 3].map((version) => `${idOf(key)}@${version}`))
    for (let at = 0; at < kept.length; at += AT_ONCE) {
      const some = kept.slice(at, at + AT_ONCE)
      const { results } = (await asked('decrypt', { batch: some.map(({ ciphertext }) => ({ ciphertext })) })).json
      expect(results.map(({ plaintext }: { plaintext: string }) => plaintext)).toEqual(
        some.map(({ plaintext }) => plaintext),
      )
    }
    expect((await call('GET', `${key}/payload`, { token: plugin.token })).status).toBe(403)
  }, 120_000)

  it(`what ${ENCRYPTORS} encryptors made beside ${ROTATIONS} rotations opens afterwards`, async () => {
    const ref = await rotatedKey()
    const token = { token: who.token }
    const made: string[] = []
    const rotations = { left: ROTATIONS }
    const plaintext = base64('beside rotations')
    const encrypting = Array.from({ length: ENCRYPTORS }, async () => {
      while (rotations.left > 0)
        made.push((await call('POST', `${ref}/encrypt`, { ...token, json: { plaintext } })).json.ciphertext)
    })
    for (; rotations.left > 0; rotations.left -= 1) await rotate(ref)
    await Promise.all(encrypting)
    const versions = new Set(made.map((ciphertext) => bytesOf(ciphertext).subarray(17, 21).join()))
    expect(versions.size).toBeGreaterThan(ROTATIONS / 2)
    for (let at = 0; at < made.length; at += AT_ONCE) {
      const batch = made.slice(at, at + AT_ONCE).map((ciphertext) => ({ ciphertext }))
      const { results } = (await call('POST', `${ref}/decrypt`, { ...token, json: { batch } })).json
      expect(new Set(results.map((result: { plaintext: string }) => result.plaintext))).toEqual(new Set([plaintext]))
    }
  }, 120_000)
})
