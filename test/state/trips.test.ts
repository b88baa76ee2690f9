/**
 * What each read costs near a replica that is recent enough: trips to the replica and to the primary, statements and rows
 * read, in a cold isolate and in a warm one, with either identity. The figures are a snapshot beside this file, so that a
 * change of one shows in the difference: `npm test -- test/state/trips.test.ts -u` writes it anew.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { resources } from '../../src/app.ts'
import { writeHeartbeat } from '../../src/state/deployment/heartbeats.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { call, database, isolate } from '../support/client.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { person, type Person } from '../support/people.ts'
import { recentReplica } from '../support/replica.ts'
import { idOf, secret } from '../support/stored.ts'
import { aesKey } from '../support/transit.ts'

const text = { payload: 'x', payload_content_type: 'text/plain' }
/** Reads that this test does not prepare: what they name belongs to the operator, or exists with SECRET_STORES alone. */
const elsewhere = /^\/(transport_keys|project-quotas|secret-stores)/

/** Counts what is sent to the replica and to the primary. */
function counted() {
  const cost = { near: 0, primary: 0, statements: 0, rows: 0 }
  const withSession = (constraint: string) => {
    const session = recentReplica.withSession(constraint)
    async function sent<Result extends D1Result>(sending: Promise<readonly Result[]>): Promise<readonly Result[]> {
      const results = await sending
      cost[constraint === 'first-primary' ? 'primary' : 'near'] += 1
      cost.statements += results.length
      for (const { meta } of results) cost.rows += meta.rows_read
      return results
    }
    const counting = (statement: D1PreparedStatement): D1PreparedStatement =>
      Object.assign(statement, {
        bind: (...values: unknown[]) => alone(statement, values),
      })
    const alone = (statement: D1PreparedStatement, values: unknown[]) => {
      const bound = Object.getPrototypeOf(statement).bind.apply(statement, values) as D1PreparedStatement
      const all = bound.all.bind(bound)
      return Object.assign(bound, { all: async () => (await sent(all().then((result) => [result])))[0] })
    }
    return {
      prepare: (query: string) => counting(session.prepare(query)),
      batch: (statements: D1PreparedStatement[]) => sent(session.batch(statements)),
      getBookmark: () => session.getBookmark(),
    }
  }
  return { cost, DB: { withSession } }
}

const keystone = fakeKeystone()
let who: Person
let params: Readonly<Record<string, string>>

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  who = await person(['admin', 'creator', 'member', 'audit'])
  const send = (method: string, path: string, json?: unknown) => call(method, path, { token: who.token, json })
  const ref = await secret(who, text)
  await send('PUT', `${ref}/metadata`, { metadata: { key: 'value' } })
  await send('PUT', `${ref}/acl`, { read: { users: ['somebody'] } })
  const consumer = { service: 'image', resource_type: 'image', resource_id: 'i' }
  await call('POST', `${ref}/consumers`, { token: who.token, json: consumer, microversion: '1.1' })
  await send('POST', `${ref}/versions`, text)
  const container = (
    await send('POST', '/v1/containers', { type: 'generic', secret_refs: [{ name: 'a', secret_ref: ref }] })
  ).json.container_ref
  await send('POST', `${container}/consumers`, { name: 'n', URL: 'http://image.example' })
  const meta = { algorithm: 'aes', bit_length: 256 }
  const order = (await send('POST', '/v1/orders', { type: 'key', meta })).json.order_ref
  const registered = async (table: string) => String(await database.prepare(`select id from ${table}`).first('id'))
  params = {
    secret: idOf(ref),
    key: 'key',
    version: '1',
    container: idOf(container),
    order: idOf(order),
    project: who.projectId,
    authority: idOf((await send('GET', '/v1/cas')).json.cas[0]),
    aes: idOf(await aesKey(who)),
    consumer: await registered('secret_consumers'),
  }
  await writeHeartbeat(await backendAt(formatTime(Date.now())), 0)
})
afterAll(() => void vi.useRealTimers())

/** Reads by route; a container has a consumer of its own. */
const reads = [
  ...resources
    .filter(
      ({ path, operations }) =>
        operations.GET && !elsewhere.test(path) && !path.includes('/containers/:container/consumers/'),
    )
    .map(({ path }) => ({ method: 'GET', route: path, json: undefined })),
  { method: 'POST', route: '/secrets/:aes/encrypt', json: { plaintext: 'AA==' } },
]

type Send = ReturnType<typeof isolate>

async function line(send: Send, cost: ReturnType<typeof counted>['cost'], token: string, read: (typeof reads)[number]) {
  Object.assign(cost, { near: 0, primary: 0, statements: 0, rows: 0 })
  const path = `/v1${read.route.replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? name)}`
  const { status } = await send(read.method, path, { token, json: read.json, headers: { Accept: '*/*' } })
  expect([path, status]).toEqual([path, 200])
  return `${cost.near} near, ${cost.primary} primary, ${cost.statements} statements, ${cost.rows} rows`
}

it.each(['embedded', 'keystone'])(
  'with %s, every read costs what the snapshot says, and a cold one is one trip, but for the list of certificates',
  async (identity) => {
    const { userId, projectId } = who
    const roles = ['admin', 'creator', 'member', 'audit']
    const token = identity === 'keystone' ? keystone.issue({ userId, projectId, roles }) : who.token
    const variables = identity === 'keystone' ? keystoneVariables : {}
    const lines: string[] = []
    for (const read of reads) {
      const { cost, DB } = counted()
      const send = isolate({ ...variables, DB })
      const cold = await line(send, cost, token, read)
      const trips = cost.near + cost.primary
      expect([read.route, trips]).toEqual([read.route, read.route.endsWith('/certificates') ? 2 : 1])
      const warm = await line(send, cost, token, read)
      lines.push(`${read.method} ${read.route}\n  cold: ${cold}\n  warm: ${warm}`)
    }
    expect(lines.toSorted().join('\n')).toMatchSnapshot()
  },
)
