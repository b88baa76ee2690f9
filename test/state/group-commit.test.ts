/** Parallel mutations of one project share round trips, and each has the same result as alone. */
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '../../src/caller.ts'
import { Fault } from '../../src/faults.ts'
import type { KeyedScope } from '../../src/state/scope.ts'
import type { Registration } from '../../src/state/entities.ts'
import { changeSecretConsumer } from '../../src/state/object/consumer-mutations.ts'
import { GroupCommit } from '../../src/state/object/group-commit.ts'
import { isSuperseded } from '../../src/state/database/refusals.ts'
import { MOST_TRIES_OF_CHANGES } from '../../src/state/database/repetition.ts'
import { saveOrder } from '../../src/state/object/order-mutations.ts'
import { createSecret, findSecret } from '../../src/state/secrets/secrets.ts'
import { backendAt, databaseOf } from '../support/backend.ts'
import { countingDatabase, type CountingDatabase } from '../support/counting.ts'
import { described, sealedOrder } from '../support/sealed-orders.ts'

const NOW = '2026-11-22T00:00:00.000000'
let caller: Caller
let secretId: string
let entityMac: string
let database: CountingDatabase
let group: GroupCommit
/** A backend whose batches are sent by the group commit. */
let backend: KeyedScope

beforeEach(async () => {
  caller = { userId: 'somebody', projectId: crypto.randomUUID(), roles: [], cloudAdmin: false }
  secretId = await createSecret(await backendAt(NOW), caller, described)
  entityMac = (await findSecret(await backendAt(NOW), secretId)).mac
  database = countingDatabase()
  group = new GroupCommit(() => database.binding)
  backend = { ...(await backendAt(NOW)), db: group }
})

const registration = (resourceId: string): Registration<'secret'> => ({
  id: crypto.randomUUID(),
  entityId: secretId,
  entityProjectId: caller.projectId,
  entityMac,
  projectId: caller.projectId,
  identity: { service: 'compute', resourceType: 'instance', resourceId },
})

const order = async (keyVersion?: number) => sealedOrder(await backendAt(NOW), caller, keyVersion)

async function countIn(table: string, column: string, value: string): Promise<number> {
  const { DB } = env as unknown as { readonly DB: D1Database }
  const count = DB.prepare(`select count(*) as count from ${table} where ${column} = ?`).bind(value)
  return (await count.first<number>('count')) ?? Number.NaN
}

const outcomeOf = (result: PromiseSettledResult<unknown>) =>
  result.status === 'fulfilled' || !(result.reason instanceof Fault) ? result.status : result.reason.failure

describe('parallel mutations', () => {
  it('parallel mutations take two round trips: one for the first, one for those that arrived meanwhile', async () => {
    const before = database.trips()
    await Promise.all(
      Array.from({ length: 5 }, (_, at) => changeSecretConsumer(backend, 'add', registration(String(at)))),
    )
    expect(database.trips() - before).toBe(2)
    expect(await countIn('secret_consumers', 'secret_id', secretId)).toBe(5)
    const events = await countIn('audit_events', 'project_id', caller.projectId)
    expect(events).toBe(6)
  })

  it('mutations that arrive while a round trip runs wait for it and share the next one', async () => {
    await Promise.all(['a', 'b', 'c'].map((id) => changeSecretConsumer(backend, 'add', registration(id))))
    const before = database.trips()
    const first = changeSecretConsumer(backend, 'add', registration('d'))
    await new Promise((turn) => queueMicrotask(() => turn(null)))
    await Promise.all([first, changeSecretConsumer(backend, 'add', registration('e'))])
    expect(database.trips() - before).toBe(1)
  })

  it('parallel mutations are sent in groups of a bounded size, and all of them are sent', async () => {
    const before = database.trips()
    const many = Array.from({ length: 40 }, (_, at) => changeSecretConsumer(backend, 'add', registration(String(at))))
    const rows = await Promise.all(many)
    expect(rows.every((row) => row?.id === secretId)).toBe(true)
    expect(database.trips() - before).toBeGreaterThan(2)
    expect(database.trips() - before).toBeLessThan(10)
    expect(await countIn('secret_consumers', 'secret_id', secretId)).toBe(40)
  })

  it('parallel mutations are stored in the order of their arrival', async () => {
    const outcomes = await Promise.allSettled([
      changeSecretConsumer(backend, 'add', registration('one')),
      changeSecretConsumer(backend, 'delete', registration('one')),
      changeSecretConsumer(backend, 'delete', registration('one')),
      changeSecretConsumer(backend, 'add', registration('one')),
      changeSecretConsumer(backend, 'add', registration('other')),
      changeSecretConsumer(backend, 'delete', registration('one')),
    ])
    expect(outcomes.map(outcomeOf)).toEqual([
      'fulfilled',
      'fulfilled',
      'consumerNotFound',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
    expect(await countIn('secret_consumers', 'secret_id', secretId)).toBe(1)
  })

  it('each of several parallel mutations counts toward the quota for the next, in the same group or another', async () => {
    const limited = { ...backend, quotas: { ...backend.quotas, consumers: 3 } }
    const registered = await Promise.allSettled(
      Array.from({ length: 9 }, (_, at) => changeSecretConsumer(limited, 'add', registration(String(at)))),
    )
    const allowed = ['fulfilled', 'fulfilled', 'fulfilled']
    expect(registered.map(outcomeOf)).toEqual([...allowed, ...Array.from({ length: 6 }, () => 'quotaReached')])
  })
})

describe('a mutation that the database refuses', () => {
  it('a mutation that the database refuses fails alone: the others of its round trip are stored', async () => {
    const orders = [await order(), await order(), await order(99), await order()]
    const outcomes = await Promise.allSettled(orders.map((one) => saveOrder(backend, one)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(isSuperseded((outcomes[2] as PromiseRejectedResult).reason)).toBe(true)
    expect(await countIn('orders', 'project_id', caller.projectId)).toBe(3)
    expect(await countIn('secrets', 'project_id', caller.projectId)).toBe(4)
  })

  it('a mutation that the database refuses does not block later ones', async () => {
    await expect(saveOrder(backend, await order(99))).rejects.toThrow()
    await saveOrder(backend, await order())
    expect(await countIn('orders', 'project_id', caller.projectId)).toBe(1)
  })
})

it('a connection that stays lost is reported to every mutation that it may have lost, after a bounded number of calls', async () => {
  let sent = 0
  const lost = databaseOf({
    prepare: (query) => database.binding.prepare(query),
    batch: async () => {
      sent += 1
      throw new Error('D1_ERROR: Network connection lost.')
    },
  })
  const unreachable = { ...backend, db: new GroupCommit(() => lost) }
  const outcomes = await Promise.allSettled(
    ['1', '2', '3'].map((id) => changeSecretConsumer(unreachable, 'add', registration(id))),
  )
  expect(outcomes.map(outcomeOf)).toEqual(['unavailable', 'unavailable', 'unavailable'])
  // Two groups: the first mutation, and those that arrived meanwhile.
  expect(sent).toBe(2 * MOST_TRIES_OF_CHANGES)
})

it.each(['request', 'answer'])(
  'a group whose %s was lost is stored once, and every mutation gets its result',
  async (lost) => {
    let sent = 0
    const losing = databaseOf({
      prepare: (query) => database.binding.prepare(query),
      batch: async (statements) => {
        sent += 1
        const isLost = sent === 2
        const results = isLost && lost === 'request' ? [] : await database.binding.batch(statements)
        if (isLost) throw new Error('D1_ERROR: Network connection lost.')
        return results
      },
    })
    const group = { ...backend, db: new GroupCommit(() => losing) }
    const rows = await Promise.all(
      ['1', '2', '3', '3'].map((id) => changeSecretConsumer(group, 'add', registration(id))),
    )
    expect(rows.map((row) => row?.id)).toEqual([secretId, secretId, secretId, secretId])
    expect(await countIn('secret_consumers', 'secret_id', secretId)).toBe(3)
    const events = await countIn('audit_events', 'target_id', secretId)
    expect(events).toBe(1 + 3)
  },
)

it('a registration that the quota refused in a group whose answer was lost is not said to be stored', async () => {
  let sent = 0
  const losing = databaseOf({
    prepare: (query) => database.binding.prepare(query),
    batch: async (statements) => {
      sent += 1
      const results = await database.binding.batch(statements)
      if (sent === 2) throw new Error('D1_ERROR: Network connection lost.')
      return results
    },
  })
  const full = { ...backend, quotas: { ...backend.quotas, consumers: 2 }, db: new GroupCommit(() => losing) }
  const rows = await Promise.all(['1', '2', '3'].map((id) => changeSecretConsumer(full, 'add', registration(id))))
  expect(rows.map((row) => row?.id)).toEqual([secretId, secretId, undefined])
  const again = changeSecretConsumer(full, 'add', registration('3'))
  await expect(again).rejects.toMatchObject({ failure: 'quotaReached' })
  expect(await countIn('secret_consumers', 'secret_id', secretId)).toBe(2)
})

it('a group returns a bookmark that is not older than what it stored', async () => {
  const first = group.observed.bookmark
  await changeSecretConsumer(backend, 'add', registration('one'))
  const then = group.observed.bookmark
  await changeSecretConsumer(backend, 'add', registration('two'))
  expect(first).toBeNull()
  expect(then).not.toBeNull()
  expect(group.observed.bookmark! >= then!).toBe(true)
})
