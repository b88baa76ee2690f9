/** T18 and T32: values cannot be opened after their key was destroyed, and no nonce repeats under a key. */
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { seal } from '../../src/crypto/envelope.ts'
import { newWrappedKey, readKeyring, unwrapKey } from '../../src/crypto/keyring.ts'
import { adminPassword, call, database } from '../support/client.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { workerWith, type Send } from '../support/worker-with.ts'

const OLD = String((env as unknown as Environment)['MASTER_KEYS'])
const PAYLOAD = 'what is to end'
const text = { payload: PAYLOAD, payload_content_type: 'text/plain' }
const random = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))

type Row = Readonly<Record<string, unknown>>

/** The rows of a project, as an older copy of the database has them. */
async function copyOf(projectId: string): Promise<Readonly<Record<string, readonly Row[]>>> {
  const copy: Record<string, readonly Row[]> = {}
  for (const table of ['project_keys', 'secrets']) {
    const { results } = await database.prepare(`select * from ${table} where project_id = ?`).bind(projectId).all<Row>()
    copy[table] = results
  }
  return copy
}

/** Restores an older copy over the current rows, as an attacker with write access to the database can. */
async function restore(copy: Readonly<Record<string, readonly Row[]>>): Promise<void> {
  for (const [table, rows] of Object.entries(copy)) {
    for (const row of rows) {
      const values = Object.values(row).map((value) => (Array.isArray(value) ? Uint8Array.from(value) : value))
      const marks = values.map(() => '?').join(', ')
      await database
        .prepare(`insert or replace into ${table} (${Object.keys(row).join(', ')}) values (${marks})`)
        .bind(...values)
        .run()
    }
  }
}

describe('T18: a secret that is deleted', () => {
  it('T18: a deleted secret is in no row of the database', async () => {
    const who = await owner()
    const ref = await secret(who, text)
    await callAs(() => who)('DELETE', ref)
    expect(await copyOf(who.projectId)).toMatchObject({ secrets: [] })
  })

  it('T18: a deleted secret opens from an older backup of the database until a newer version replaces its project key', async () => {
    const who = await owner()
    const operator = await person(['key-manager:service-admin'])
    const ref = await secret(who, text)
    const copy = await copyOf(who.projectId)
    await callAs(() => who)('DELETE', ref)
    const json = { project_keys: { project_id: who.projectId } }
    await call('POST', '/admin/rotate', { token: operator.token, json })
    // The secret's row alone is not enough, because its key is destroyed. The trigger would refuse the row too.
    const row = copy['secrets']?.[0]
    await expect(restore({ secrets: row ? [row] : [] })).rejects.toThrow('superseded project key')
  })
})

describe('T18: the destroyed keys of a project', () => {
  let who: Person
  let ref: string
  let operator: string
  let copy: Readonly<Record<string, readonly Row[]>>
  const next = `next:${random()}`
  const [during, after] = [workerWith({ MASTER_KEYS: `${next},${OLD}` }), workerWith({ MASTER_KEYS: next })]
  const payload = (send: Send, { token }: Person) => send('GET', `${ref}/payload`, { token })

  beforeAll(async () => {
    who = await owner()
    ref = await secret(who, text)
    copy = await copyOf(who.projectId)
    ;({ token: operator } = await person(['key-manager:service-admin']))
    const path = `/admin/projects/${who.projectId}/destruction`
    await call('PUT', path, { token: operator, json: { confirm: who.projectId } })
    expect((await payload(workerWith({ MASTER_KEYS: OLD }), who)).status).toBe(404)
    await during('POST', '/admin/rotate', { token: operator })
  })

  // The Worker of the other tests has only the old key.
  afterAll(async () => {
    await workerWith({ MASTER_KEYS: `${OLD},${next}` })('POST', '/admin/rotate', { token: operator })
  })

  it('T18: the destroyed keys of a project leave nothing of the project that could be opened', async () => {
    expect(await copyOf(who.projectId)).toEqual({ project_keys: [], secrets: [] })
  })

  it('T18: the destroyed keys of a project open from an older backup under the master key that wrapped them, and never without it', async () => {
    const { results: keysNow } = await database.prepare('select distinct master_key_id as id from project_keys').all()
    expect(keysNow).not.toContainEqual({ id: OLD.split(':')[0] })
    await restore(copy)
    const sealed = copy['secrets']?.find(({ id }) => id === idOf(ref))
    expect(sealed).toBeDefined()
    const wrapped = copy['project_keys']?.[0]
    const place = { project: who.projectId, store: String(wrapped?.['store']), version: Number(wrapped?.['version']) }
    const bytes = Uint8Array.from(wrapped?.['wrapped'] as number[])
    await expect(unwrapKey(await readKeyring(OLD), place, bytes)).resolves.toBeDefined()
    await expect(unwrapKey(await readKeyring(next), place, bytes)).rejects.toThrow('not in the keyring')
    // A service with only the new key opens nothing of such a copy, reports this, and refuses every change.
    const { token } = await callerOf(after)
    const answer = await payload(after, { ...who, token })
    expect([403, 503]).toContain(answer.status)
    expect(answer.text).not.toContain(PAYLOAD)
    expect((await after('POST', '/v1/secrets', { token, json: {} })).status).toBe(503)
  })

  /** A caller with a token that was signed by the service with the new key. */
  async function callerOf(send: Send): Promise<{ token: string }> {
    const domain = { id: 'default' }
    const password = { user: { name: 'admin', domain, password: adminPassword } }
    const auth = { identity: { methods: ['password'], password }, scope: { project: { name: 'admin', domain } } }
    const made = await send('POST', '/identity/v3/auth/tokens', { json: { auth } })
    return { token: made.headers.get('X-Subject-Token') ?? '' }
  }
})

describe('T32: a nonce', () => {
  /**
   * The worst case: all values under one derived key, although the service derives a new key for each value. For
   * 10^7 of them the chance that two of the 96-bit nonces are equal is below 10^14 / 2^97, about 6 in 10^16.
   */
  const SEALS = 100_000
  const AT_ONCE = 2_000

  it(`T32: a nonce does not repeat in ${SEALS} seals under one key`, async () => {
    const keyring = await readKeyring(OLD)
    const keyPlace = { project: 'p', store: 's', version: 1 }
    const key = await unwrapKey(keyring, keyPlace, await newWrappedKey(keyring, keyPlace))
    const place = { project: 'p', kind: 'payload', id: 'i' }
    const nonces = new Set<string>()
    for (let done = 0; done < SEALS; done += AT_ONCE) {
      const sealed = await Promise.all(Array.from({ length: AT_ONCE }, () => seal(key, place, Uint8Array.of(1))))
      for (const value of sealed) nonces.add(String.fromCharCode(...value.subarray(5, 17)))
    }
    expect(nonces.size).toBe(SEALS)
  }, 120_000)

  it('T32: a nonce has no constant and no biased bytes, in the service and in what a project key seals', async () => {
    const who = await owner()
    const SEALED = 200
    await Promise.all(Array.from({ length: SEALED }, () => secret(who, text)))
    const { results } = await database
      .prepare('select hex(substr(sealed, 6, 12)) as nonce from secrets where project_id = ?')
      .bind(who.projectId)
      .all<{ nonce: string }>()
    const nonces = results.map(({ nonce }) => Uint8Array.fromHex(nonce))
    expect(nonces).toHaveLength(SEALED)
    for (let place = 0; place < 12; place += 1) {
      // 200 random bytes have about 139 different values; fewer than 100 come with a chance below 10^-13.
      expect([place, new Set(nonces.map((nonce) => nonce[place])).size > 100]).toEqual([place, true])
      for (let bit = 0; bit < 8; bit += 1) {
        // The number of ones has mean 100 and standard deviation 7; 50 apart is 7 deviations.
        const ones = nonces.filter((nonce) => ((nonce[place] ?? 0) >> bit) & 1).length
        expect([place, bit, Math.abs(ones - SEALED / 2) < 50]).toEqual([place, bit, true])
      }
    }
  })

  it('T32: every value is sealed under a derived key of its own, because no two have the same place', async () => {
    const who = await owner()
    const refs = await Promise.all(Array.from({ length: 50 }, () => secret(who, text)))
    const { results } = await database
      .prepare('select id, key_version, hex(substr(sealed, 6, 12)) as nonce from secrets where project_id = ?')
      .bind(who.projectId)
      .all()
    expect(new Set(results.map(({ id }) => id)).size).toBe(refs.length)
    expect(new Set(results.map(({ nonce }) => nonce)).size).toBe(refs.length)
  })
})
