/**
 * Growth: an operation has the same cost in a project of a hundred secrets, in one of a million, and in a database with
 * a million more secrets in other projects. The test compares rows read and written, which the database counts exactly;
 * times are only printed. The test suite uses up to ten thousand secrets; `npm run growth` uses a million and prints a
 * table.
 */
import { env } from 'cloudflare:workers'
import { afterAll, describe, expect, it } from 'vitest'
import { silenceAlarms } from '../support/alarms.ts'
import { database } from '../support/client.ts'
import { canarySecret, idOf } from '../support/stored.ts'
import { countedService, type Cost, type Statement } from '../support/counting.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { authenticate, fill, middleOf, placeOfMiddle } from './fill.ts'

const full = (env as unknown as { readonly GROWTH: string }).GROWTH === 'full'
/** The maximum ratio between the most expensive stage and the cheapest one. */
const MOST_GROWTH = 1.3
const PAGE = 100
const MOST_ROWS_OF_A_PAGE = 200
const ROUNDS = full ? 51 : 3

const stages = [
  { stage: '100', projects: 1, each: 100 },
  { stage: '10,000', projects: 1, each: 10_000 },
  ...(full
    ? [
        { stage: '1,000,000', projects: 1, each: 1_000_000 },
        { stage: '10,000 × 100', projects: 10_000, each: 100 },
      ]
    : [{ stage: '100 × 100', projects: 100, each: 100 }]),
]

const keystone = fakeKeystone()
/** Quotas that are counted, but never reached. */
const limits = { QUOTA_SECRETS: '100000000', QUOTA_ORDERS: '100000000' }
const send = countedService({ ...keystoneVariables, ...limits })

const json = { name: 'posted', payload: 'x', payload_content_type: 'text/plain' }
const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } }
const asJson = { headers: { Accept: 'application/json' } }
const operations = {
  'metadata GET': (secret: string) => ['GET', `/v1/secrets/${secret}`, asJson],
  'payload GET': (secret: string) => ['GET', `/v1/secrets/${secret}/payload`, {}],
  'first page of 10': () => ['GET', '/v1/secrets', {}],
  'first page of 100': () => ['GET', '/v1/secrets?limit=100', {}],
  'page of 50 at a marker': (_: string, middle: string) => ['GET', `/v1/secrets?limit=50&marker=${middle}`, {}],
  'filter by name': () => ['GET', '/v1/secrets?name=wanted', {}],
  'first page of 100 orders': () => ['GET', '/v1/orders?limit=100', {}],
  'secret POST': () => ['POST', '/v1/secrets', { json }],
  'symmetric order POST': () => ['POST', '/v1/orders', { json: order }],
} as const satisfies Record<string, (secret: string, middle: string) => readonly [string, string, object]>
type Operation = keyof typeof operations
const names = Object.keys(operations) as Operation[]
/** The number of entries in the responses that are lists. */
const entries: Partial<Record<Operation, number>> = {
  'first page of 10': 10,
  'first page of 100': 100,
  'page of 50 at a marker': 50,
  'filter by name': 5,
  'first page of 100 orders': 100,
}

interface Measured {
  readonly cost: Cost
  /** The median, in milliseconds. */
  readonly time: number
}

/** By stage and operation. */
const measured = new Map<string, Map<Operation, Measured>>()

async function measure(token: string, secret: string, middle: string): Promise<Map<Operation, Measured>> {
  const results = new Map<Operation, Measured>()
  for (const name of names) {
    const [method, path, request] = operations[name](secret, middle)
    const rounds: Measured[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const begun = performance.now()
      const { status, json, cost } = await send(method, path, { token, ...request })
      rounds.push({ cost, time: performance.now() - begun })
      const shown = (json?.secrets ?? json?.orders)?.length
      expect([name, status, shown]).toEqual([name, expect.toSatisfy((ok) => ok < 300), entries[name]])
    }
    const sorted = rounds.toSorted((one, other) => one.time - other.time)
    results.set(name, { cost: rounds[0]!.cost, time: sorted[Math.floor(ROUNDS / 2)]!.time })
  }
  return results
}

describe('the database at each stage', () => {
  it.each(stages)('every operation is measured with $stage secrets more', { timeout: 900_000 }, async (given) => {
    const { stage, projects, each } = given
    const prefix = `filled-${stage}-`
    await fill(prefix, projects, each)
    const projectId = `${prefix}${Math.floor(projects / 2)}`
    // The rows of the pages that are read.
    await authenticate(projectId, 0, PAGE)
    await authenticate(projectId, placeOfMiddle(each), PAGE)
    const token = keystone.issue({ userId: 'user', projectId, roles: ['admin', 'creator'] })
    const refs: string[] = []
    for (let at = 0; at < 5; at += 1)
      refs.push(await canarySecret(send, { token, userId: 'user', projectId }, { name: 'wanted' }))
    const { json: list } = await send('GET', '/v1/secrets?limit=1', { token })
    expect(list.total).toBe(each + refs.length)
    measured.set(stage, await measure(token, idOf(refs[2]!), await middleOf(projectId, each)))
    await silenceAlarms()
  })
})

const row = (name: Operation) => [...measured.values()].map((results) => results.get(name)!)

describe.each(names)('%s', (name) => {
  it(`the operation "${name}" reads and writes as many rows, whatever the size`, () => {
    expect(row(name)).toHaveLength(stages.length)
    for (const count of ['rowsRead', 'rowsWritten'] as const) {
      const counts = row(name).map(({ cost }) => cost[count])
      expect(Math.max(...counts), `${count}: ${counts.join(', ')}`).toBeLessThanOrEqual(
        MOST_GROWTH * Math.min(...counts),
      )
    }
    expect(Math.max(...row(name).map(({ cost }) => cost.rowsRead))).toBeLessThanOrEqual(MOST_ROWS_OF_A_PAGE)
  })

  it(`the operation "${name}" scans no table and sorts nothing`, async () => {
    const { results } = await database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const tables = new Set(results.map((table) => table['name']))
    const statements = row(name).at(-1)!.cost.statements
    expect(statements.length).toBeGreaterThan(0)
    for (const statement of statements) {
      const expensive = (await planOf(statement)).filter(
        (step) => step.includes('TEMP B-TREE') || tables.has(/^SCAN (\w+)/.exec(step)?.[1]),
      )
      expect([statement.text, expensive]).toEqual([statement.text, []])
    }
  })
})

async function planOf({ text, values }: Statement): Promise<string[]> {
  const { results } = await database
    .prepare(`EXPLAIN QUERY PLAN ${text}`)
    .bind(...values)
    .all<{ detail: string }>()
  return results.map(({ detail }) => detail)
}

const cell = ({ cost, time }: Measured) => `${cost.rowsRead} / ${cost.rowsWritten} / ${time.toFixed(2)}`

afterAll(() => {
  if (!full) return
  const line = (cells: readonly string[]) => cells.map((text, at) => text.padEnd(at === 0 ? 26 : 18)).join('')
  const head = ['rows read / written / ms', ...stages.map(({ stage }) => stage)]
  console.log([head, ...names.map((name) => [name, ...row(name).map(cell)])].map(line).join('\n'))
})
