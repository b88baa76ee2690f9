/**
 * A key that cannot be extracted stays inside: random walks over every route, method, `Accept`, microversion and form of
 * the path, by everybody who has rights to the key, with a canary as payload. It is in no answer, log, event or column.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { resources } from '../../src/app.ts'
import { call, database } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, idOf } from '../support/stored.ts'
import { base64, grant, storedKey } from '../support/transit.ts'

const WALKS = 200
const STEPS = 12

/** 32 bytes, so that it is a key for encryption. */
const CANARY = 'never-leaves-4c1f7a90b2d84e6583ab'.slice(0, 32)
const forms = [
  CANARY,
  base64(CANARY),
  base64(CANARY).slice(0, 40),
  Buffer.from(CANARY).toString('hex'),
  JSON.stringify([...Buffer.from(CANARY)]).slice(1, 40),
]
const leaksIn = (text: string) => forms.some((form) => text.includes(form))

const accepts = [
  undefined,
  '*/*',
  'application/json',
  'application/octet-stream',
  'text/plain',
  'text/*;q=0.5, */*;q=0.1',
]
const microversions = [undefined, '1.0', '1.1', '1.2']
const logged: string[] = []

let who: Person
let people: readonly Person[]
let ids: Readonly<Record<string, string>>

beforeAll(async () => {
  for (const method of ['log', 'error', 'warn'] as const)
    vi.spyOn(console, method).mockImplementation((...parts) => void logged.push(JSON.stringify(parts)))
  who = await owner()
  const colleague = await person(['admin', 'creator', 'member', 'audit'], { projectId: who.projectId })
  const stranger = await person(['creator', 'member'])
  people = [who, colleague, stranger]
  const ref = await storedKey(who, new TextEncoder().encode(CANARY), { extractable: false, name: 'key' })
  await acl(who, ref, { users: [stranger.userId] })
  await grant(who, ref, { [stranger.userId]: ['encrypt', 'decrypt', 'rewrap', 'datakey'] })
  const json = { type: 'generic', secret_refs: [{ name: 'private_key', secret_ref: ref }] }
  const container = (await call('POST', '/v1/containers', { token: who.token, json })).json.container_ref
  ids = { secret: idOf(ref), container: idOf(container), version: 'current' }
}, HOOK_MILLISECONDS)

afterAll(() => {
  vi.restoreAllMocks()
})

/** A generator of numbers below `most` that gives the same series for the same seed. */
function numbers(seed: number) {
  let state = seed + 1
  return (most: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 8) % most
  }
}

const bodies = (container: string): readonly unknown[] => [
  { plaintext: base64('x') },
  { batch: [{ plaintext: base64('x') }, { ciphertext: 'AA==' }] },
  { ciphertext: 'AA==', context: 'AA==' },
  {},
  { bits: 256 },
  { input: 'AA==', algorithm: 'HS256' },
  { extractable: true },
  { extractable: false, usages: ['encrypt', 'decrypt'] },
  { usages: ['mac'] },
  { read: { 'project-access': true } },
  { metadata: { a: 'b' } },
  { service: 's', resource_type: 't', resource_id: 'r' },
  {
    type: 'certificate',
    meta: { request_type: 'stored-key', container_ref: `/v1/containers/${container}`, subject_dn: 'CN=a' },
  },
  { type: 'key', meta: { algorithm: 'aes', bit_length: 256 }, extractable: false },
]

/** Routes that end the entities of the walk, or the rights by which it goes on. */
const ends = (method: string, path: string) =>
  method === 'DELETE' && /^\/(secrets\/:secret|containers\/:container)(\/acl(\/use)?|\/secrets)?$/.test(path)

async function step(pick: (most: number) => number): Promise<string> {
  const { path, operations } = resources[pick(resources.length)]!
  const methods = Object.keys(operations)
  const method = methods[pick(methods.length)]!
  if (ends(method, path)) return ''
  const by = people[pick(people.length)]!
  const filled = path.replaceAll(/:(\w+)/g, (_match, name: string) => ids[name] ?? crypto.randomUUID())
  const prefix = ['/v1', `/v1/${by.projectId}`, '//v1', '/v1/'][pick(4)]!
  const query = ['', '?limit=10', '?acl_only=true', '?transport_key_id=x'][pick(4)]!
  const accept = accepts[pick(accepts.length)]
  const choices = bodies(ids['container'] ?? '')
  const answer = await call(method, `${prefix}${filled}${query}`, {
    token: by.token,
    headers: accept === undefined ? {} : { Accept: accept },
    ...(microversions[pick(4)] && { microversion: microversions[pick(3) + 1]! }),
    ...(method !== 'GET' && { json: choices[pick(choices.length)] }),
  })
  expect(answer.status, `${method} ${path}`).toBeLessThan(500)
  return leaksIn(answer.text + JSON.stringify([...answer.headers])) ? `${method} ${path}` : ''
}

describe('a key that cannot be extracted', () => {
  it('random walks over all routes never meet its payload', async () => {
    const leaks: string[] = []
    for (let walk = 0; walk < WALKS; walk += 1) {
      const pick = numbers(walk)
      for (let at = 0; at < STEPS; at += 1) leaks.push(await step(pick))
    }
    expect(leaks.filter(Boolean)).toEqual([])
    expect(leaks.length).toBe(WALKS * STEPS)
    const { status } = await call('GET', `/v1/secrets/${ids['secret']}`, { token: who.token })
    expect(status).toBe(200)
  }, 300_000)

  it('after the walks its payload is still closed, in no log, and nowhere in the database', async () => {
    for (const by of people) {
      const answer = await call('GET', `/v1/secrets/${ids['secret']}/payload`, { token: by.token })
      expect(answer.status).toBe(403)
    }
    expect(logged.filter(leaksIn)).toEqual([])
    const { results: tables } = await database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all<{ name: string }>()
    for (const { name } of tables.filter(({ name: table }) => !table.startsWith('_cf_'))) {
      const { results } = await database.prepare(`SELECT * FROM "${name}"`).all()
      for (const row of results) {
        const text = Object.values(row).map((value) =>
          Array.isArray(value) ? Buffer.from(value as number[]).toString('latin1') : String(value),
        )
        expect(text.some(leaksIn), name).toBe(false)
      }
    }
  })

  it('every route of a payload refuses it', async () => {
    const paths = resources
      .map(({ path }) => path)
      .filter((path) => path.startsWith('/secrets/:secret') && path.endsWith('/payload'))
    expect(paths).toContain('/secrets/:secret/payload')
    for (const path of paths) {
      const filled = path.replaceAll(/:(\w+)/g, (_match, name: string) => ids[name] ?? '')
      const answer = await call('GET', `/v1${filled}`, { token: who.token })
      expect([path, answer.status, answer.json.description]).toEqual([
        path,
        403,
        'Secret payload retrieval attempt not allowed - the payload of this secret cannot be extracted.',
      ])
    }
  })

  it('a row whose attributes were changed in the database is refused', async () => {
    for (const change of ['extractable = NULL', 'extractable = 1', `usages = '["encrypt"]'`, "use_grants = '{}'"]) {
      const ref = await storedKey(who, new TextEncoder().encode(CANARY), { extractable: false })
      await database.prepare(`UPDATE secrets SET ${change} WHERE id = ?`).bind(idOf(ref)).run()
      const answer = await call('GET', `${ref}/payload`, { token: who.token })
      expect([change, answer.status]).toEqual([change, 500])
    }
  })
})
