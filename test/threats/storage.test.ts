/**
 * T15, the storage attacker: somebody who can write to the database changes every column of every table, one at a
 * time, and everything that uses the row is read by an isolate with empty caches. Nothing opens, nothing crashes, and
 * a change to an authenticated or sealed column is reported. The columns come from the schema: one without a rule
 * does not compile, and a table without rules fails here.
 */
import { getTableColumns, getTableName, is, type Table } from 'drizzle-orm'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { otherTables, protectedTables, type Protection } from '../../src/state/integrity/protection.ts'
import * as auditSchema from '../../src/state/schema/audit.ts'
import * as deploymentSchema from '../../src/state/schema/deployment.ts'
import * as identitySchema from '../../src/state/schema/identity.ts'
import * as schema from '../../src/state/schema/resources.ts'
import * as versionSchema from '../../src/state/schema/secret-versions.ts'
import { writeHeartbeat } from '../../src/state/deployment/heartbeats.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { call, database, identityBase, isolateOfForgery } from '../support/client.ts'
import { adminToken } from '../support/identity.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf, limit } from '../support/stored.ts'
import { presentColumns, ruleOf, sealedColumns } from '../support/unauthenticated-columns.ts'
import { tablesWithoutMac, unprotectedColumns } from '../support/unauthenticated-columns.ts'
import { entriesOf } from '../support/log-lines.ts'
import { recentReplica } from '../support/replica.ts'
import { requests } from '../vectors/certificate-requests.json'

const tables = Object.entries({
  ...schema,
  ...versionSchema,
  ...identitySchema,
  ...auditSchema,
  ...deploymentSchema,
}).filter(([, table]) => is(table, SQLiteTable)) as [keyof typeof protectedTables | keyof typeof otherTables, Table][]

/** A row as the database returns it. Bytes and null are handled separately when it is written back. */
type Row = Readonly<Record<string, string | number>>
type Send = ReturnType<typeof isolateOfForgery>

interface Reader {
  readonly who: () => string
  readonly path: (row: Row) => string
}

/** One of the two projects of this test, and its entities. */
interface Estate {
  readonly who: Person
  readonly mark: string
  readonly secret: string
  readonly neighbour: string
  readonly container: string
  readonly neighbourContainer: string
  readonly order: string
  readonly neighbourOrder: string
  readonly credential: { readonly id: string; readonly secret: string }
}

const variables = { SECRET_STORES: 'multiple' }
const log = vi.spyOn(console, 'error').mockImplementation(() => {})

async function made(send: Send, token: string, path: string, json: object, member: string): Promise<string> {
  const answer = await send('POST', path, { token, json })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer.json[member]
}

async function certificate(send: Send, { token }: Person): Promise<string> {
  const meta = { request_type: 'simple-cmc', request_data: btoa(requests.p256) }
  const ref = await made(send, token, '/v1/orders', { type: 'certificate', meta }, 'order_ref')
  for (;;) {
    const { json } = await send('GET', ref, { token })
    if (json.status === 'ACTIVE') return json.container_ref
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function estate(mark: string): Promise<Estate> {
  const send = isolateOfForgery(variables)
  const who = await owner()
  const { token } = who
  const stores = await send('GET', '/v1/secret-stores', { token })
  const [, second] = stores.json.secret_stores as { secret_store_ref: string }[]
  await send('POST', `${second?.secret_store_ref}/preferred`, { token })
  const text = { payload: mark, payload_content_type: 'text/plain', name: mark, algorithm: 'aes', mode: 'gcm' }
  const described = { ...text, bit_length: 256, expiration: '2099-01-01T00:00:00' }
  const secret = await made(send, token, '/v1/secrets', described, 'secret_ref')
  const neighbour = await made(send, token, '/v1/secrets', { ...text, name: 'n', bit_length: 128 }, 'secret_ref')
  for (const [ref, users] of [
    [secret, ['x']],
    [neighbour, ['y']],
  ] as const)
    await send('PUT', `${ref}/acl`, { token, json: { read: { 'project-access': false, users } } })
  for (const ref of [secret, neighbour]) {
    const json = { payload: `${mark} of version 2`, payload_content_type: 'text/plain' }
    await send('POST', `${ref}/versions`, { token, json })
    await send('PUT', `${ref}/versioning`, { token, json: { put: ref === secret ? 'replace' : 'refuse', keep: 7 } })
  }
  await send('PUT', `${secret}/metadata`, { token, json: { metadata: { key: mark } } })
  const consumer = { service: 's', resource_type: 't', resource_id: mark }
  await send('POST', `${secret}/consumers`, { token, json: consumer })
  const container = async (name: string, ref: string) => {
    const json = { type: 'generic', name, secret_refs: [{ name: 'a', secret_ref: ref }] }
    return made(send, token, '/v1/containers', json, 'container_ref')
  }
  const [first, other] = [await container(mark, secret), await container('n', neighbour)]
  await send('POST', `${first}/consumers`, { token, json: { name: mark, URL: 'https://a.example/' } })
  await send('PUT', `${first}/acl`, { token, json: { read: { 'project-access': false, users: ['x'] } } })
  const key = { type: 'key', meta: { name: mark, algorithm: 'aes', bit_length: 128 } }
  const order = await made(send, token, '/v1/orders', key, 'order_ref')
  const neighbourOrder = await made(
    send,
    token,
    '/v1/orders',
    { ...key, meta: { ...key.meta, name: 'n' } },
    'order_ref',
  )
  await limit(who.projectId, { secrets: 50, orders: 60, containers: 70, consumers: 80 })
  await certificate(call, who)
  const revoked = await certificate(call, who)
  await send('DELETE', `${revoked}?revoke=true`, { token })
  const credential = { name: mark, secret: `${mark} secret`, description: mark, expires_at: '2099-01-01T00:00:00' }
  const answer = await send('POST', `${identityBase}/users/${who.userId}/application_credentials`, {
    token,
    json: { application_credential: credential },
  })
  const { id } = answer.json.application_credential as { id: string }
  const rest = { container: first, neighbourContainer: other, order, neighbourOrder }
  return { who, mark, secret, neighbour, ...rest, credential: { id, secret: credential.secret } }
}

let ours: Estate
let theirs: Estate
let administrator: string
let authority: string

beforeAll(async () => {
  await writeHeartbeat(await backendAt(formatTime(Date.now())), 0)
  ours = await estate('mark-of-ours-5c1d')
  theirs = await estate('mark-of-theirs-77aa')
  administrator = await adminToken()
  const { json } = await isolateOfForgery()('GET', '/v1/cas', { token: ours.who.token })
  authority = json.cas[0]
}, 120_000)
beforeEach(() => void log.mockClear())

const asOurs = () => ours.who.token
const of = (path: (row: Row) => string, who: () => string = asOurs): Reader => ({ path, who })
const get = (path: string) => of(() => path)
const byAdministrator = (path: (row: Row) => string) =>
  of(
    (row) => identityBase + path(row),
    () => administrator,
  )

/**
 * For each table: the conditions for our row, its neighbour and the other project's row, and the requests that read it.
 */
const places: Readonly<
  Record<
    keyof typeof protectedTables,
    { readonly where: (of: 'ours' | 'neighbour' | 'theirs') => string; readonly readers: readonly Reader[] }
  >
> = {
  secrets: {
    where: (of) => `id = '${idOf({ ours: ours.secret, neighbour: ours.neighbour, theirs: theirs.secret }[of])}'`,
    readers: ['', '/acl', '/metadata', '/consumers', '/payload'].map((part) =>
      of(({ id }) => `/v1/secrets/${id}${part}`),
    ),
  },
  secretVersions: {
    where: (of) => `secret_id = '${idOf({ ours: ours.secret, neighbour: ours.neighbour, theirs: theirs.secret }[of])}'`,
    readers: ['/versions/1', '/versions/1/payload', '/versions', '/payload'].map((part) =>
      of(() => `/v1/secrets/${idOf(ours.secret)}${part}`),
    ),
  },
  containers: {
    where: (of) =>
      `id = '${idOf({ ours: ours.container, neighbour: ours.neighbourContainer, theirs: theirs.container }[of])}'`,
    readers: ['', '/acl', '/consumers'].map((part) => of(({ id }) => `/v1/containers/${id}${part}`)),
  },
  containerSecrets: {
    where: (of) =>
      `container_id = '${idOf({ ours: ours.container, neighbour: ours.neighbourContainer, theirs: theirs.container }[of])}'`,
    readers: [of((row) => `/v1/containers/${row['container_id']}`)],
  },
  orders: {
    where: (of) => `id = '${idOf({ ours: ours.order, neighbour: ours.neighbourOrder, theirs: theirs.order }[of])}'`,
    readers: [of(({ id }) => `/v1/orders/${id}`)],
  },
  certificateAuthorities: {
    where: (of) => `project_id = '${(of === 'theirs' ? theirs : ours).who.projectId}'`,
    readers: ['', '/cacert', '/intermediates', '/crl'].map((part) => of(({ id }) => `/v1/cas/${id}${part}`)),
  },
  issuedCertificates: {
    where: (of) =>
      `project_id = '${(of === 'theirs' ? theirs : ours).who.projectId}' and revoked is ${of === 'neighbour' ? '' : 'not '}null`,
    readers: ['crl', 'certificates'].map((part) => of(() => `/v1/cas/${idOf(authority)}/${part}`)),
  },
  identityUsers: {
    where: (of) => `id = '${(of === 'theirs' ? theirs : ours).who.userId}'`,
    readers: [get('/v1/secrets'), byAdministrator(({ id }) => `/users/${id}`)],
  },
  identityProjects: {
    where: (of) => `id = '${(of === 'theirs' ? theirs : ours).who.projectId}'`,
    readers: [get('/v1/secrets'), byAdministrator(({ id }) => `/projects/${id}`)],
  },
  identityRoles: {
    where: (of) => `name = '${of === 'ours' ? 'creator' : 'audit'}'`,
    readers: [byAdministrator(({ id }) => `/roles/${id}`), get('/v1/secrets')],
  },
  roleAssignments: {
    where: (of) =>
      `user_id = '${(of === 'theirs' ? theirs : ours).who.userId}' and role_id = (select id from identity_roles where name = '${of === 'neighbour' ? 'admin' : 'creator'}')`,
    readers: [
      byAdministrator((row) => `/role_assignments?user.id=${row['user_id']}&scope.project.id=${row['project_id']}`),
      byAdministrator((row) => `/projects/${row['project_id']}/users/${row['user_id']}/roles/${row['role_id']}`),
    ],
  },
  applicationCredentials: {
    where: (of) => `id = '${(of === 'theirs' ? theirs : ours).credential.id}'`,
    readers: [byAdministrator((row) => `/users/${row['user_id']}/application_credentials/${row['id']}`)],
  },
  // Every isolate reads it before anything else.
  deployments: { where: () => 'true', readers: [get('/v1/secrets')] },
  // It is read with what a replica answers.
  heartbeats: { where: () => 'true', readers: [get('/v1/secrets')] },
}

/** Sends every request that uses the row. */
async function read(name: keyof typeof protectedTables, row: Row) {
  const send = isolateOfForgery({ ...variables, ...(name === 'heartbeats' && { DB: recentReplica }) })
  const answers = []
  for (const { path, who } of places[name].readers)
    answers.push(await send('GET', path(row), { token: who(), headers: { Accept: '*/*' } }))
  return answers
}

const rowOf = async (table: Table, where: string): Promise<Row> => {
  const row = await database
    .prepare(`select rowid as row, * from ${getTableName(table)} where ${where} limit 1`)
    .first<Row>()
  if (!row) throw new Error(`${getTableName(table)} has no row where ${where}`)
  return row
}

/** Another value of the same form. */
function flipped(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 1 : value === 1 ? 0 : value + 1
  if (Array.isArray(value))
    return Uint8Array.from(value, (byte: number, at) => (at === value.length - 1 ? byte ^ 1 : byte))
  if (typeof value !== 'string' || value === '') return 'x'
  const last = value.at(-1) === '0' ? '1' : '0'
  return value.startsWith('{') || value.startsWith('[') ? '[]' : value.slice(0, -1) + last
}

const asStored = (value: unknown) => (Array.isArray(value) ? Uint8Array.from(value as number[]) : value)
const reports = new Set(['row not authentic', 'row refused', 'value not decrypted'])
/** What was logged, besides that the tests have no HOST_HREF. */
const logged = () =>
  entriesOf(log)
    .map(({ event }) => event)
    .filter((event) => !event.startsWith('HOST_HREF'))
const reported = () => logged().some((event) => reports.has(event))

/** Writes a value, reads, and restores the row. Returns null if the schema refuses the value. */
async function attack(name: keyof typeof protectedTables, row: Row, column: string, value: unknown) {
  const { table } = protectedTables[name]
  const update = `update ${getTableName(table)} set ${column} = ? where rowid = ?`
  try {
    await database.prepare(update).bind(value, row['row']).run()
  } catch (error) {
    if (/constraint failed|datatype mismatch/.test(String(error))) return null
    throw error
  }
  const answers = await read(name, { ...row, [column]: value as string })
  await database.prepare(update).bind(asStored(row[column]), row['row']).run()
  return answers
}

/**
 * Columns that are used to find rows. A change has the effect of a deletion: the row is no longer found. Deleted rows
 * are detected by the project's object, not by readers.
 */
const finding = new Set([
  'issuedCertificates.authority_id',
  'issuedCertificates.project_id',
  'issuedCertificates.revoked',
  // Without a MAC the deployment is one that nobody has claimed; only a Worker with its master keys can claim it.
  'deployments.mac',
])

/** The names of the columns in the database, each with the rule that it must have; the MAC itself counts as covered. */
const columnsOf = (name: keyof typeof protectedTables) =>
  Object.values(getTableColumns(protectedTables[name].table as Table)).map(
    ({ name: column }) => [column, ruleOf(name, column)] as const,
  )

/** The rule of each column of a table, as the source states it. */
function statedRules(name: keyof typeof protectedTables): [column: string, rule: string][] {
  const columns = getTableColumns(protectedTables[name].table as Table)
  const rules = Object.entries<Protection>(protectedTables[name].columns)
  return rules.map(([key, rule]) => [columns[key]?.name ?? key, typeof rule === 'string' ? rule : 'unprotected'])
}

describe('T15: the storage attacker', () => {
  it('T15: every table states for every column what protects it', () => {
    const rules = { ...protectedTables, ...otherTables }
    for (const [name, table] of tables) {
      const given = name in protectedTables ? protectedTables[name as never]['columns'] : otherTables[name as never]
      const columns = Object.keys(getTableColumns(table)).filter((column) => column !== 'mac')
      expect(Object.keys(given ?? {}).toSorted(), name).toEqual(columns.toSorted())
    }
    expect(Object.keys(rules).toSorted()).toEqual(tables.map(([name]) => name).toSorted())
  })

  it('T15: the columns that no MAC covers are exactly those of the list of this test', () => {
    for (const name of Object.keys(protectedTables) as (keyof typeof protectedTables)[]) {
      const expected = statedRules(name).map(([column]) => [column, ruleOf(name, column)])
      expect([name, statedRules(name)]).toEqual([name, expected])
    }
    const listed = [unprotectedColumns, sealedColumns, presentColumns].flatMap((list) =>
      Object.entries(list).flatMap(([table, columns]) => columns.map((column) => `${table}.${column}`)),
    )
    const existing = new Set(
      Object.keys(protectedTables).flatMap((name) =>
        columnsOf(name as keyof typeof protectedTables).map(([column]) => `${name}.${column}`),
      ),
    )
    expect(listed.filter((column) => !existing.has(column))).toEqual([])
    expect(Object.keys(otherTables).toSorted()).toEqual([...tablesWithoutMac])
  })

  describe.each(Object.keys(protectedTables) as (keyof typeof protectedTables)[])('%s', (name) => {
    const { table } = protectedTables[name]

    it(`T15: an unchanged row of ${name} is read`, async () => {
      const answers = await read(name, await rowOf(table, places[name].where('ours')))
      expect(answers.filter(({ status }) => status >= 300)).toEqual([])
      expect(logged()).toEqual([])
    })

    it.each(columnsOf(name))(
      `T15: a change to the column %s of ${name} has the effect that its rule states, for a flipped bit, null and values of other rows`,
      async (column, rule) => {
        const row = await rowOf(table, places[name].where('ours'))
        const others = await Promise.all(
          (['neighbour', 'theirs'] as const).map(async (which) => rowOf(table, places[name].where(which))),
        )
        const values = [flipped(row[column]), null, ...others.map((other) => asStored(other[column]))]
        const before = await read(name, row)
        for (const value of values.filter((one) => JSON.stringify(one) !== JSON.stringify(asStored(row[column])))) {
          log.mockClear()
          const answers = await attack(name, row, column, value)
          if (!answers) continue
          const shown = `${column} = ${JSON.stringify(value)}: ${answers.map(({ status, text }) => status + text).join('\n')}`
          for (const [at, answer] of answers.entries()) {
            const { status, text } = answer
            expect([200, 204, 401, 403, 404, 500, 503], shown).toContain(status)
            expect(text, shown).not.toContain(theirs.mark)
            if (status === 500) expect(reported(), shown).toBe(true)
            const unread = rule === 'sealed' && status === 200
            if (unread && !reported()) expect(answer.json, shown).toEqual(before[at]?.json)
          }
          const hidden = answers.every(({ status }) => status === 404 || status === 401)
          const passes = hidden || finding.has(`${name}.${column}`)
          if (rule === 'authenticated' || rule === 'present') expect(reported() || passes, shown).toBe(true)
        }
        expect((await read(name, row)).filter(({ status }) => status >= 300)).toEqual([])
      },
    )
  })
})
