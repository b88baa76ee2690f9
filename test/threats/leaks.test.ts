/** T13: secret values do not leak. Canaries are sent in every input for secrets, then searched for in every output. */
import { createScheduledController, listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { databaseOf } from '../support/backend.ts'
import { formsOf, leaked } from '../support/canaries.ts'
import { isolate, type Answer } from '../support/client.ts'

const bindings = env as unknown as Environment
const canary = (name: string) => `${name}-${crypto.randomUUID().replaceAll('-', '')}`
const masterKey = crypto.getRandomValues(new Uint8Array(32))

const canaries: Record<string, string | Uint8Array> = {
  'master key': masterKey,
  'administrator password': canary('administrator'),
  password: canary('password'),
  'new password': canary('changed'),
  'wrong password': canary('wrong'),
  'payload as text': canary('payload'),
  'payload of a PUT': canary('put'),
  'payload in base64': canary('base64'),
  'refused payload': canary('refused'),
  passphrase: canary('passphrase'),
  'refused passphrase': canary('long'.repeat(80)),
  'credential secret': canary('credential'),
  'foreign token': canary('gAAAAA'),
}
const text = (name: keyof typeof canaries) => String(canaries[name])

const variables = {
  // The second key is that of the deployment to which the database of the tests belongs.
  MASTER_KEYS: `canary:${btoa(String.fromCharCode(...masterKey))},${String(bindings['MASTER_KEYS'])}`,
  ADMIN_PASSWORD: canaries['administrator password'],
  LOG: 'requests',
  AUDIT_READS: 'strict',
}
const send = isolate(variables)
const { DB } = bindings
/** A value that D1 refuses with its own error. */
const malformed = "select json('{')"
const batch = (statements: D1PreparedStatement[]) => DB.batch([...statements, DB.prepare(malformed)])
const broken = isolate({ ...variables, DB: databaseOf({ prepare: (query) => DB.prepare(query), batch }) })
/** A database that fails all statements but the question whose it is, without which the sweep does not begin. */
const allBroken = databaseOf({
  prepare: (query) => DB.prepare(query.includes('deployments') ? query : `${malformed} from (${query})`),
  batch,
})

const logged: string[] = []
const requestLines = () => logged.filter((line) => line.includes('"request"'))
const refusals: Answer[] = []
const statuses = new Set<number>()

async function ask(...[method, path, request]: Parameters<typeof send>): Promise<Answer> {
  const answer = await send(method, path, request)
  statuses.add(answer.status)
  if (answer.status >= 400) refusals.push(answer)
  return answer
}

async function logIn(name: string, password: string): Promise<string> {
  const user = { name, password, domain: { id: 'default' } }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: 'admin', domain: { id: 'default' } } },
  }
  const answer = await ask('POST', '/identity/v3/auth/tokens', { json: { auth } })
  return answer.headers.get('X-Subject-Token') ?? ''
}

async function useIdentity(): Promise<string> {
  const admin = await logIn('admin', text('administrator password'))
  canaries['administrator token'] = admin
  await logIn('admin', text('wrong password'))
  const users = '/identity/v3/users'
  const { json: made } = await ask('POST', users, {
    token: admin,
    json: { user: { name: 'user', password: text('password') } },
  })
  const user: string = made.user.id
  await ask('POST', users, { token: admin, json: { user: { name: 'user', password: text('password') } } })
  await ask('POST', users, { token: admin, json: { user: { name: 1, password: text('refused payload') } } })
  await ask('POST', users, { token: admin, json: { user: { name: 'other', password: [text('wrong password')] } } })
  const { json: projects } = await ask('GET', '/identity/v3/projects?name=admin', { token: admin })
  for (const role of ['creator', 'audit', 'admin']) {
    const { json: roles } = await ask('GET', `/identity/v3/roles?name=${role}`, { token: admin })
    await ask('PUT', `/identity/v3/projects/${projects.projects[0].id}/users/${user}/roles/${roles.roles[0].id}`, {
      token: admin,
    })
  }
  const change = (original: string, password: string) => ({ user: { original_password: original, password } })
  const token = await logIn('user', text('password'))
  await ask('POST', `${users}/${user}/password`, { token, json: change(text('wrong password'), text('new password')) })
  await ask('POST', `${users}/${user}/password`, { token, json: change(text('password'), text('new password')) })
  const last = await logIn('user', text('new password'))
  canaries['token'] = last
  const credential = { name: 'c', secret: text('credential secret') }
  await ask('POST', `${users}/${user}/application_credentials`, {
    token: last,
    json: { application_credential: credential },
  })
  await ask('POST', `${users}/${user}/application_credentials`, {
    token: last,
    json: { application_credential: credential },
  })
  for (const subject of [last, text('foreign token')])
    await ask('GET', '/identity/v3/auth/tokens', { token: admin, headers: { 'X-Subject-Token': subject } })
  return last
}

async function useSecrets(token: string): Promise<void> {
  const type = 'text/plain'
  const given = { payload: text('payload as text'), payload_content_type: type }
  const made = await ask('POST', '/v1/secrets', { token, json: { name: 'a', ...given } })
  expect([made.status, made.text]).toEqual([201, expect.any(String)])
  const ref: string = made.json.secret_ref
  expect((await ask('GET', `${ref}/payload`, { token, headers: { Accept: type } })).text).toBe(text('payload as text'))
  await ask('PUT', ref, { token, body: text('refused payload'), headers: { 'Content-Type': type } })
  const { json: empty } = await ask('POST', '/v1/secrets', { token, json: { name: 'b' } })
  const refused = { 'Content-Type': 'application/octet-stream', 'Content-Encoding': 'base64' }
  await ask('PUT', empty.secret_ref, { token, body: `${text('refused payload')}!é`, headers: refused })
  await ask('PUT', empty.secret_ref, { token, body: text('refused payload'), headers: { 'Content-Type': 'text/html' } })
  await ask('PUT', empty.secret_ref, { token, body: text('payload of a PUT'), headers: { 'Content-Type': type } })
  const octets = { payload_content_type: 'application/octet-stream', payload_content_encoding: 'base64' }
  await ask('POST', '/v1/secrets', { token, json: { payload: btoa(text('payload in base64')), ...octets } })
  for (const json of [
    { payload: text('refused payload'), payload_content_type: 'nonsense/type' },
    { payload: `${text('refused payload')}é`, ...octets },
    { payload: text('refused payload'), ...octets, payload_content_encoding: 'rot13' },
    { payload: text('refused payload').repeat(505), payload_content_type: type },
    { payload: { a: text('refused payload') }, payload_content_type: type },
    { payload: [text('refused payload')], payload_content_type: type },
    { payload: text('refused payload') },
    { name: 1, payload: text('refused payload'), payload_content_type: type },
  ])
    await ask('POST', '/v1/secrets', { token, json })
  const json = { 'Content-Type': 'application/json' }
  await ask('POST', '/v1/secrets', { token, body: `{"payload": "${text('refused payload')}"`, headers: json })
  await ask('GET', `${ref}/payload`, { token: text('foreign token') })
  await ask('GET', `${ref}/payload`, { token, headers: { 'X-Service-Token': text('foreign token') } })
  await ask('GET', `${ref}/payload`, { token, headers: { Accept: 'text/html' } })
}

async function useOrders(token: string): Promise<void> {
  const meta = { algorithm: 'ec', bit_length: 256 }
  const order = (given: object) =>
    ask('POST', '/v1/orders', { token, json: { type: 'asymmetric', meta: { ...meta, ...given } } })
  const { json: made } = await order({ passphrase: text('passphrase') })
  await order({ passphrase: text('refused passphrase') })
  await order({ passphrase: [text('refused passphrase')] })
  await order({ payload: text('refused payload') })
  await vi.waitFor(async () => expect((await ask('GET', made.order_ref, { token })).json.status).toBe('ACTIVE'), 10_000)
}

async function breakDown(token: string): Promise<void> {
  const given = { payload: text('payload as text'), payload_content_type: 'text/plain' }
  const answers = [
    await broken('POST', '/v1/secrets', { token, json: given }),
    await broken('POST', '/v1/orders', {
      token,
      json: { type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 256, passphrase: text('passphrase') } },
    }),
    await broken('POST', '/identity/v3/users', { token, json: { user: { name: 'z', password: text('password') } } }),
  ]
  const { json: made } = await ask('POST', '/v1/secrets', { token, json: {} })
  const key = text('passphrase')
  answers.push(await broken('PUT', `${made.secret_ref}/metadata/${key}`, { token, json: { key, value: 'v' } }))
  expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 500])
  refusals.push(...answers)
  const environment = { ...bindings, ...variables, DB: allBroken } as unknown as Environment
  await expect(worker.scheduled(createScheduledController(), environment)).rejects.toThrow()
}

/** Every value of every row of every table, as bytes. */
async function storedValues(): Promise<[string, Uint8Array][]> {
  const tables = await bindings.DB.prepare(
    "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
  ).all<{ name: string }>()
  const values: [string, Uint8Array][] = []
  for (const { name } of tables.results) {
    const { results } = await bindings.DB.prepare(`select * from "${name}"`).all()
    for (const row of results)
      for (const [column, value] of Object.entries(row)) {
        const bytes = Array.isArray(value) ? Uint8Array.from(value) : new TextEncoder().encode(String(value))
        values.push([`${name}.${column}`, bytes])
      }
  }
  return values
}

beforeAll(async () => {
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, name).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(' ')))
  const token = await useIdentity()
  await useSecrets(token)
  await useOrders(token)
  await breakDown(token)
  await ask('DELETE', '/identity/v3/auth/tokens', { token, headers: { 'X-Subject-Token': token } })
  // Lines of requests are written after their answers.
  await vi.waitFor(() => expect(requestLines().length).toBeGreaterThan(refusals.length), 10_000)
}, 120_000)

describe('T13: a canary', () => {
  it('T13: a canary would be found in each of its forms', () => {
    for (const form of formsOf('a canary of this test')) {
      const before = `{"x": "${form}"}`
      expect(leaked({ it: 'a canary of this test' }, before)).toEqual(['it'])
    }
    const inside = btoa(`xy${text('passphrase')}z`)
    expect(leaked(canaries, inside)).toEqual(['passphrase'])
    expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 202, 204, 400, 401, 404, 406, 409, 413, 415]))
  })

  it('T13: no canary is in a line of the log, though every request and failure has one', () => {
    expect(requestLines().length).toBeGreaterThan(40)
    const failures = logged.filter((line) => line.includes('unexpected failure'))
    expect(failures.every((line) => line.includes('malformed JSON'))).toBe(true)
    expect(failures.length).toBeGreaterThan(1)
    expect(failures.some((line) => line.includes('/secrets/:secret/metadata/:key'))).toBe(true)
    expect(logged.flatMap((line) => leaked(canaries, line).map((name) => [name, line]))).toEqual([])
  })

  it("T13: no canary is in a line about the sweep, which quotes D1's message and no statement", () => {
    const sweeps = logged.filter((line) => line.includes('sweep task failed'))
    expect(sweeps.length).toBeGreaterThan(1)
    expect(sweeps.every((line) => line.includes('D1_ERROR'))).toBe(true)
    expect(sweeps.filter((line) => /params:|Failed query/.test(line))).toEqual([])
  })

  it('T13: no canary is in an answer that refuses', () => {
    expect(refusals.length).toBeGreaterThan(20)
    const found = refusals.flatMap((one) =>
      leaked(canaries, one.text + JSON.stringify([...one.headers])).map((name) => [name, one.text]),
    )
    expect(found).toEqual([])
  })

  it('T13: no canary is in a column of the database', async () => {
    const values = await storedValues()
    expect(new Set(values.map(([column]) => column)).size).toBeGreaterThan(100)
    expect(values.flatMap(([column, bytes]) => leaked(canaries, bytes).map((name) => [name, column]))).toEqual([])
  })

  it('T13: no canary is in the object of a project', async () => {
    const ids = await listDurableObjectIds(bindings.PROJECT)
    expect(ids.length).toBeGreaterThan(0)
    for (const id of ids) {
      const kept = await runInDurableObject(bindings.PROJECT.get(id), async (_, { storage }) =>
        JSON.stringify([...(await storage.list())]),
      )
      expect(leaked(canaries, kept)).toEqual([])
    }
  })
})
