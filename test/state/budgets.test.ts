/**
 * Budgets: the cost of each operation of the Key Manager, in round trips to storage and calls that its request waits
 * for and in rows that the database reads, once the isolate has cached the token, the project's key, its limits and the
 * key of the MACs, and for a new version has seen the secret. After the response there is at most one call, which makes the project's object seal the events of
 * changes. A route without a budget fails the test.
 */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { resources } from '../../src/app.ts'
import { MOST_STATEMENTS_PER_ALARM } from '../../src/state/object/project-object.ts'
import { SEAL_DELAY } from '../../src/state/wake.ts'
import { readOnlyResource } from '../../src/wire/read-only.ts'
import { reconciliationResource } from '../../src/wire/reconciliation.ts'
import { rotationResource } from '../../src/wire/rotation.ts'
import { base, database, type Request } from '../support/client.ts'
import { countedService } from '../support/counting.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { peopleOf } from '../support/people.ts'
import { free, statementLimits } from '../support/platform-limits.ts'
import { canarySecret, idOf, keyOrder as placeKeyOrder } from '../support/stored.ts'
import { bytesOf, grant, storedKey, use } from '../support/transit.ts'
import privateKeys from '../vectors/private-keys.json' with { type: 'json' }
import vectors from '../vectors/certificate-requests.json' with { type: 'json' }

/** Statements of one request. Sent three times, with the questions in between, they fit into the limits of both plans. */
const MOST_STATEMENTS = free.queriesPerInvocation / 5
/** Of D1's limit of 100,000 bytes. */
const MOST_SQL_CHARACTERS = statementLimits.sqlBytes / 10

const keystone = fakeKeystone()
const send = countedService(keystoneVariables)
const sendWithStores = countedService({ ...keystoneVariables, SECRET_STORES: 'multiple' })

/** The input of a request: the caller's token, and the values of path parameters. */
interface Given {
  readonly token: string
  readonly params: Readonly<Record<string, string>>
}

interface Budget {
  /** Round trips to the database, including those of the project's object. */
  readonly trips: number
  /** Calls of the project's object. */
  readonly calls: number
  /** Calls after the response that wake the project's object, if it was not woken recently. */
  readonly wakes: number
  /** Rows that the database reads before the response: the measured number when this was written, and two more. */
  readonly rows: number
  readonly request: Request | ((given: Given) => Request)
  /** The status of an operation that cannot succeed. */
  readonly refused?: number
}

type Asked = Budget['request']
/**
 * Budgets: no storage, a read, a write, a read and a write, and with {@link inObject} the write in the project's
 * object.
 */
const none = (request: Asked = {}): Budget => ({ trips: 0, calls: 0, wakes: 0, rows: 0, request })
const look = (rows: number, request: Asked = {}): Budget => ({ ...none(request), trips: 1, rows })
const write = (rows: number, request: Asked = {}): Budget => ({ ...look(rows, request), wakes: 1 })
const two = (rows: number, request: Asked = {}): Budget => ({ ...write(rows, request), trips: 2 })
/** The same write in the project's object, which schedules the sealing itself, so there is no call to wake it. */
const inObject = (budget: Budget): Budget => ({ ...budget, calls: 1, wakes: 0 })

const json = (value: unknown): Request => ({ json: value })
const secretRef = ({ params }: Given) => `${base}/v1/secrets/${params['secret']}`
const consumer = { service: 'image', resource_type: 'image', resource_id: 'registered' }
const containerConsumer = { name: 'registered', URL: 'http://image.example' }
const acl = json({ read: { users: ['somebody'] } })
const keyOrder = json({ type: 'key', meta: { algorithm: 'aes', bit_length: 256 } })

const budgets: Readonly<Record<string, Budget>> = {
  'GET /secrets': look(11),
  'POST /secrets': write(15, json({ payload: 'x', payload_content_type: 'text/plain' })),
  'GET /secrets/:secret': look(5, { headers: { Accept: 'application/json' } }),
  'PUT /secrets/:secret': two(14, { body: 'x', headers: { 'Content-Type': 'text/plain' } }),
  'DELETE /secrets/:secret': two(31),
  'GET /secrets/:secret/payload': look(7),
  'POST /secrets/:secret/encrypt': look(9, json({ plaintext: 'AA==' })),
  'POST /secrets/:secret/decrypt': look(9, (given) => json({ ciphertext: given.params['ciphertext'] })),
  'POST /secrets/:secret/rewrap': look(9, (given) => json({ ciphertext: given.params['ciphertext'] })),
  'POST /secrets/:secret/datakey': look(9, json({})),
  'POST /secrets/:secret/sign': look(9, json({ input: 'AA==' })),
  'POST /secrets/:secret/verify': look(9, json({ input: 'AA==', signature: 'AA==' })),
  'POST /secrets/:secret/mac': look(9, json({ input: 'AA==', algorithm: 'HS256' })),
  'GET /secrets/:secret/key': look(9),
  'PATCH /secrets/:secret/key': two(20, json({ usages: [] })),
  'GET /secrets/:secret/acl/use': look(6),
  'PUT /secrets/:secret/acl/use': two(20, json({ 'project-access': false })),
  'DELETE /secrets/:secret/acl/use': two(20),
  'GET /extensions': none(),
  'GET /secrets/:secret/versions': look(10),
  'POST /secrets/:secret/versions': write(33, json({ payload: 'x', payload_content_type: 'text/plain' })),
  'GET /secrets/:secret/versions/:version': look(9),
  'PATCH /secrets/:secret/versions/:version': two(14, json({ enabled: false })),
  'DELETE /secrets/:secret/versions/:version': two(14),
  'GET /secrets/:secret/versions/:version/payload': look(12),
  'GET /secrets/:secret/versioning': look(5),
  'PUT /secrets/:secret/versioning': two(14, json({ put: 'replace' })),
  'GET /secrets/:secret/metadata': look(8),
  'PUT /secrets/:secret/metadata': two(19, json({ metadata: { key: 'value' } })),
  'POST /secrets/:secret/metadata': two(18, json({ key: 'other', value: 'value' })),
  'GET /secrets/:secret/metadata/:key': look(8),
  'PUT /secrets/:secret/metadata/:key': two(14, json({ key: 'key', value: 'other' })),
  'DELETE /secrets/:secret/metadata/:key': two(14),
  'GET /secrets/:secret/acl': look(6),
  'PUT /secrets/:secret/acl': two(19, acl),
  'PATCH /secrets/:secret/acl': two(19, acl),
  'DELETE /secrets/:secret/acl': two(18),
  'GET /secrets/:secret/consumers': look(11),
  'POST /secrets/:secret/consumers': inObject(write(22, json({ ...consumer, resource_id: 'new' }))),
  'DELETE /secrets/:secret/consumers': inObject(write(10, json(consumer))),
  'GET /secrets/:secret/consumers/:consumer': look(7),

  'GET /containers': look(11),
  'POST /containers': write(25, (given) =>
    json({ type: 'generic', secret_refs: [{ name: 'a', secret_ref: secretRef(given) }] }),
  ),
  'GET /containers/:container': look(10),
  'DELETE /containers/:container': two(30),
  'POST /containers/:container/secrets': two(33, (given) => json({ name: 'b', secret_ref: secretRef(given) })),
  'DELETE /containers/:container/secrets': two(20, (given) => json({ name: 'a', secret_ref: secretRef(given) })),
  'GET /containers/:container/acl': look(10),
  'PUT /containers/:container/acl': two(18, acl),
  'PATCH /containers/:container/acl': two(18, acl),
  'DELETE /containers/:container/acl': two(17),
  'GET /containers/:container/consumers': look(15),
  'POST /containers/:container/consumers': inObject(two(33, json({ ...containerConsumer, name: 'new' }))),
  'DELETE /containers/:container/consumers': inObject(two(19, json(containerConsumer))),
  'GET /containers/:container/consumers/:consumer': look(11),

  'GET /orders': look(6),
  'POST /orders': inObject(write(30, keyOrder)),
  'PUT /orders': { ...none(), refused: 405 },
  'GET /orders/:order': look(4),
  // Only orders for certificates are updated, and of these only what has failed.
  'PUT /orders/:order': { ...look(4, json({ meta: {} })), refused: 400 },
  'DELETE /orders/:order': inObject(two(12)),

  'GET /quotas': look(4),
  // This route is for the operator and reads the rows of all projects.
  'GET /project-quotas': look(Infinity),
  'GET /project-quotas/:project': look(4),
  'PUT /project-quotas/:project': write(21, json({ project_quotas: { secrets: 100 } })),
  'DELETE /project-quotas/:project': write(9),

  'GET /secret-stores': none(),
  'GET /secret-stores/global-default': none(),
  'GET /secret-stores/preferred': look(4),
  'GET /secret-stores/:store': none(),
  'POST /secret-stores/:store/preferred': write(9),
  'DELETE /secret-stores/:store/preferred': write(9),

  'GET /transport_keys': none(),
  'POST /transport_keys': { ...none(json({ plugin_name: 'x', transport_key: 'x' })), refused: 400 },
  'GET /transport_keys/:key': { ...none(), refused: 404 },
  'DELETE /transport_keys/:key': { ...none(), refused: 404 },

  // The first of these in a project makes the authority.
  'GET /cas': look(4),
  'GET /cas/:authority': look(5),
  'GET /cas/:authority/cacert': look(5),
  'GET /cas/:authority/intermediates': look(5),
  'GET /cas/:authority/crl': look(6),
  'GET /cas/:authority/certificates': { ...look(7), trips: 2 },
  'POST /cas/:authority/certificates/:serial/revoke': two(12),

  'GET /audit': look(3),

  'GET /admin/rotate': look(Infinity),
  // The cost when there is nothing to do; each further step adds to it. One statement finds keys to rewrap, one in each
  // of four tables finds values to reseal, one deletes keys, and one reports.
  'POST /admin/rotate': { ...look(Infinity), trips: 7 },
  // Of one project: its object asks once whose the database is, seals in two trips, and compares its few rows in one.
  'POST /admin/reconcile': {
    ...look(Infinity, ({ params }) => json({ project_id: params['project'] })),
    trips: 4,
    calls: 1,
  },
  'GET /admin/read-only': none(),
  'PUT /admin/read-only': { ...write(7, json({ read_only: false })), calls: 1 },
}

const routes = [
  ...resources.map((resource) => ({ ...resource, prefix: '/v1', named: resource.path })),
  ...[rotationResource, reconciliationResource, readOnlyResource].map((resource) => ({
    ...resource,
    prefix: '/admin',
    named: `/admin${resource.path}`,
  })),
].flatMap(({ prefix, path, named, operations }) =>
  Object.keys(operations).map((method) => ({ route: `${method} ${named}`, method, path: prefix + path })),
)

async function created(path: string, token: string, body: object, member: string): Promise<string> {
  return idOf((await send('POST', path, { token, json: body })).json[member])
}

const registered = (table: string, owner: string, id: string, column = 'id') =>
  database.prepare(`SELECT ${column} FROM ${table} WHERE ${owner} = ?`).bind(id).first<string>(column)

/** Orders a certificate and gives its serial number. */
async function issuedTo(token: string, projectId: string): Promise<string> {
  const meta = { request_type: 'simple-cmc', request_data: vectors.requests.p256 }
  await send('POST', '/v1/orders', { token, json: { type: 'certificate', meta } })
  const issued = () => registered('issued_certificates', 'project_id', projectId, 'serial')
  return (await expect.poll(issued, { timeout: 10_000 }).not.toBeNull().then(issued)) ?? ''
}

/** The key that an operation with keys needs; null for the other routes. */
function keyMembers(path: string) {
  const [, operation = ''] = /^\/v1\/secrets\/:secret\/(\w+)$/.exec(path) ?? []
  if (operation === 'mac') return { payload: new Uint8Array(32), members: { algorithm: 'hmacsha256' } }
  if (['encrypt', 'decrypt', 'rewrap', 'datakey', 'key'].includes(operation))
    return { payload: new Uint8Array(32), members: {} }
  if (operation !== 'sign' && operation !== 'verify') return null
  return { payload: bytesOf(privateKeys.keys['ec-pkcs8.der']), members: { secret_type: 'private' } }
}

/** Creates one entity of each kind, in a project whose key the isolate has cached. */
async function given(path: string, method: string): Promise<Given> {
  const who = peopleOf(keystone)(['admin', 'creator', 'audit', 'key-manager:service-admin'])
  const { token, projectId } = who
  const secretRefOf = await canarySecret(send, who)
  const secret = idOf(secretRefOf)
  const empty = await created('/v1/secrets', token, {}, 'secret_ref')
  const secretRefs = [{ name: 'a', secret_ref: secretRefOf }]
  const container = await created(
    '/v1/containers',
    token,
    { type: 'generic', secret_refs: secretRefs },
    'container_ref',
  )
  const order = idOf(await placeKeyOrder(send, who))
  await send('PUT', `${secretRefOf}/metadata`, { token, json: { metadata: { key: 'value' } } })
  await send('POST', `${secretRefOf}/consumers`, { token, json: consumer })
  await send('POST', `/v1/containers/${container}/consumers`, { token, json: containerConsumer })
  if (path.includes('/versions')) {
    await send('POST', `${secretRefOf}/versions`, { token, json: { payload: 'x', payload_content_type: 'text/plain' } })
    const json = { enabled: method !== 'DELETE' }
    await send('PATCH', `${secretRefOf}/versions/1`, { token, json })
    await send('GET', `${secretRefOf}/versions`, { token })
  }
  if (path.endsWith('/acl')) {
    await send('PUT', `${secretRefOf}/acl`, { token, ...acl })
    await send('PUT', `/v1/containers/${container}/acl`, { token, ...acl })
  }
  await send('PUT', `/v1/project-quotas/${projectId}`, { token, json: { project_quotas: { orders: 100 } } })
  // The isolate caches the new limits.
  await placeKeyOrder(send, who)
  const store = (await sendWithStores('GET', '/v1/secret-stores', { token })).json.secret_stores[0].secret_store_ref
  await sendWithStores('POST', `${store}/preferred`, { token })
  const ofContainer = path.startsWith('/v1/containers')
  const serial = path.includes(':serial') ? await issuedTo(token, projectId) : ''
  const key = keyMembers(path)
  const keyRef = key && (await storedKey(who, key.payload, key.members, send))
  const sealed = path.endsWith('/decrypt') || path.endsWith('/rewrap')
  const ciphertext =
    sealed && keyRef ? (await use(who, keyRef, 'encrypt', { plaintext: 'AA==' }, send)).json.ciphertext : ''
  if (path.endsWith('/acl/use')) await grant(who, secretRefOf, { someone: ['encrypt'] }, {}, send)
  const params = {
    ciphertext,
    secret: keyRef ? idOf(keyRef) : method === 'PUT' && path === '/v1/secrets/:secret' ? empty : secret,
    container,
    order,
    project: projectId,
    version: '1',
    serial,
    store: idOf(store),
    key: path.startsWith('/v1/secrets') ? 'key' : crypto.randomUUID(),
    authority: idOf((await send('GET', '/v1/cas', { token })).json.cas[0]),
    consumer: ofContainer
      ? ((await registered('container_consumers', 'container_id', container)) ?? '')
      : ((await registered('secret_consumers', 'secret_id', secret)) ?? ''),
  }
  return { token, params }
}

/** Makes the next change wake the project's object again. */
function passPause(): void {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + SEAL_DELAY)
}
afterEach(() => {
  vi.useRealTimers()
})

describe('a route', () => {
  beforeAll(async () => {
    const { token } = await given('', '')
    expect((await sendWithStores('GET', '/v1', { token })).status).toBe(200)
  })

  it('every route has a budget, and every budget has a route', () => {
    expect(Object.keys(budgets).toSorted()).toEqual(routes.map(({ route }) => route).toSorted())
  })

  it.each(routes)('$route stays within its budget', async ({ route, method, path }) => {
    const budget = budgets[route]!
    const from = await given(path, method)
    const filled = path.replaceAll(/:(\w+)/g, (_match, name: string) => from.params[name] ?? name)
    const request = typeof budget.request === 'function' ? budget.request(from) : budget.request
    keystone.asked.length = 0
    passPause()
    const service = path.startsWith('/v1/secret-stores') ? sendWithStores : send
    const { status, text, cost } = await service(method, filled, { token: from.token, ...request })
    expect([route, status, text]).toEqual([route, budget.refused ?? expect.toSatisfy((ok) => ok < 300), text])
    expect([route, cost.trips, cost.objectCalls]).toEqual([route, budget.trips, budget.calls])
    const { trips, objectCalls, wakes } = cost.after
    expect([route, trips, objectCalls, wakes]).toEqual([route, 0, 0, budget.wakes])
    expect(keystone.asked).toEqual([])
    expect(cost.rowsRead, route).toBeLessThanOrEqual(budget.rows)
    // What a reconciliation sends is sent by the project's object, which has a bound of its own.
    const most = route === 'POST /admin/reconcile' ? MOST_STATEMENTS_PER_ALARM : MOST_STATEMENTS
    expect(cost.statements.length, route).toBeLessThanOrEqual(most)
    for (const { text: sql, values } of cost.statements) {
      expect(values.length, route).toBeLessThanOrEqual(statementLimits.parameters)
      expect(sql.length, route).toBeLessThanOrEqual(MOST_SQL_CHARACTERS)
    }
    if (method === 'GET') expect(cost.rowsWritten, route).toBe(0)
  })
})

describe('an operation that needs more than its own rows', () => {
  const newcomer = () => {
    const [userId, projectId] = [`user-${crypto.randomUUID()}`, `project-${crypto.randomUUID()}`]
    return keystone.issue({ userId, projectId, roles: ['creator'] })
  }
  const order = (type: string, meta: object) => ({ path: '/v1/orders', body: { type, meta } })

  it.each([
    // Creating the project's key takes one round trip before that of the secret.
    {
      what: 'the first secret',
      path: '/v1/secrets',
      body: { payload: 'x', payload_content_type: 'text/plain' },
      most: [2, 0],
      wakes: 1,
    },
    // The order is accepted in the object, read and run outside it, and ended in it; the run creates the project's key.
    { what: 'a key pair', ...order('asymmetric', { algorithm: 'ec', bit_length: 256 }), most: [4, 2], wakes: 0 },
    // As a key pair, and the authority is looked for and made, the first time in a project: not by the object.
    {
      what: 'a certificate',
      ...order('certificate', { request_type: 'simple-cmc', request_data: vectors.requests.p256 }),
      most: [6, 2],
      wakes: 1,
    },
  ])('$what costs no more than $most round trips and calls', async ({ path, body, most, wakes }) => {
    await given('', '')
    const token = newcomer()
    await send('GET', '/v1', { token })
    const { status, cost } = await send('POST', path, { token, json: body })
    expect(status).toBeLessThan(300)
    // An order may be run during and after the response.
    const { trips, objectCalls } = cost.after
    expect([cost.trips + trips, cost.objectCalls + objectCalls, cost.after.wakes]).toEqual([...most, wakes])
  })

  it('a change wakes the object once, and further changes soon after do not wake it again', async () => {
    const token = newcomer()
    const wakes: number[] = []
    for (let time = 0; time < 3; time += 1) {
      const { cost } = await send('POST', '/v1/secrets', { token, json: {} })
      wakes.push(cost.after.wakes)
    }
    passPause()
    wakes.push((await send('POST', '/v1/secrets', { token, json: {} })).cost.after.wakes)
    expect(wakes).toEqual([1, 0, 0, 1])
  })

  it('a batch of 100 items takes one round trip', async () => {
    const { token, params } = await given('/v1/secrets/:secret/decrypt', 'POST')
    const path = `/v1/secrets/${params['secret']}`
    const items = (json: object) => ({ token, json: { batch: Array.from({ length: 100 }, () => json) } })
    for (const [operation, json] of [
      ['encrypt', { plaintext: 'AA==' }],
      ['decrypt', { ciphertext: params['ciphertext'] }],
    ] as const) {
      const { status, cost } = await send('POST', `${path}/${operation}`, items(json))
      expect([status, cost.trips, cost.objectCalls, cost.after.wakes]).toEqual([200, 1, 0, 0])
      expect(cost.rowsRead).toBeLessThanOrEqual(9)
    }
  })

  it('an older version of a key is read with the key, in one round trip, also for a batch that names several', async () => {
    const { token, params } = await given('/v1/secrets/:secret/decrypt', 'POST')
    const path = `/v1/secrets/${params['secret']}`
    const ciphertexts = [params['ciphertext'] ?? '']
    for (const payload of ['the second of 16', 'the third one of']) {
      const json = { payload, payload_content_type: 'text/plain' }
      expect((await send('POST', `${path}/versions`, { token, json })).status).toBe(201)
      ciphertexts.push((await send('POST', `${path}/encrypt`, { token, json: { plaintext: 'AA==' } })).json.ciphertext)
    }
    const batch = Array.from({ length: 100 }, (_, at) => ({ ciphertext: ciphertexts[at % ciphertexts.length] }))
    for (const [operation, json] of [
      ['decrypt', { ciphertext: ciphertexts[0] }],
      ['rewrap', { ciphertext: ciphertexts[0] }],
      ['encrypt', { plaintext: 'AA==', key_version: 1 }],
      ['datakey', { key_version: 2 }],
      ['decrypt', { batch }],
    ] as const) {
      const { status, json: answered, cost } = await send('POST', `${path}/${operation}`, { token, json })
      expect([operation, status, cost.trips, cost.objectCalls]).toEqual([operation, 200, 1, 0])
      expect(JSON.stringify(answered)).not.toContain('error')
      expect(cost.rowsRead).toBeLessThanOrEqual(9 + 2 * ciphertexts.length)
    }
  })

  it("a secret's consumers are read only for a microversion that shows them", async () => {
    const { token, params } = await given('', '')
    const path = `/v1/secrets/${params['secret']}`
    const rowsReadAt = async (microversion: string) => {
      const read: number[] = []
      for (const one of [path, '/v1/secrets', `${path}/payload`])
        read.push((await send('GET', one, { token, microversion })).cost.rowsRead)
      return read
    }
    const [before, beforeAt11] = [await rowsReadAt('1.0'), await rowsReadAt('1.1')]
    const consumers = 5
    for (let at = 0; at < consumers; at += 1) {
      const json = { service: 'compute', resource_type: 'instance', resource_id: String(at) }
      expect((await send('POST', `${path}/consumers`, { token, microversion: '1.1', json })).status).toBe(200)
    }
    expect(await rowsReadAt('1.0')).toEqual(before)
    const [metadata, list, payload] = beforeAt11
    expect(await rowsReadAt('1.1')).toEqual([metadata! + consumers, list! + consumers, payload])
  })
})
