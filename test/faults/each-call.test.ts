/**
 * Each error that the platform documents, at each call of each operation, with the request lost or the answer: the
 * operation succeeds as if nothing had happened, and the tables hold what they hold after an undisturbed one.
 */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { database, type Answer } from '../support/client.ts'
import { tableNames } from '../support/every-table.ts'
import {
  faultyPlatform,
  healthy,
  objectErrors,
  overloadErrors,
  repeatableErrors,
  resetErrors,
  type Failure,
  type Fate,
} from '../support/faulty-platform.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { peopleOf } from '../support/people.ts'
import { countedTables, miscounted } from '../support/recount.ts'
import { operations, type Operation } from './operations.ts'

const { PROJECT: objects } = env as unknown as Environment
const isFull = (env as unknown as { readonly FAULTS: string }).FAULTS !== ''
/** An operation with many calls is run for each of them, several times. */
const MOST_MILLISECONDS = isFull ? 1_200_000 : 180_000
const keystone = fakeKeystone()
const person = peopleOf(keystone)
const platform = faultyPlatform(keystoneVariables)

beforeEach(() => {
  // Pauses are tested elsewhere.
  vi.spyOn(scheduler, 'wait').mockImplementation(() => Promise.resolve())
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})

async function rowCounts(): Promise<Readonly<Record<string, number>>> {
  const counts = tableNames.map((name) => `select '${name}' as name, (select count(*) from ${name}) as n`)
  const results = await database.batch<{ name: string; n: number }>(counts.map((query) => database.prepare(query)))
  return Object.fromEntries(results.flatMap(({ results: [row] }) => (row ? [[row.name, row.n]] : [])))
}

/** The number of rows that each table gained. */
const gained = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, n]) => (n === before[name] ? [] : [[name, n - before[name]!]])),
  )

interface Outcome {
  readonly answer: Answer
  readonly calls: number
  readonly gained: Readonly<Record<string, number>>
}

/** The alarm would run an order whose first run failed, while the rows of a later operation are counted. */
const silenceAlarm = (projectId: string) =>
  runInDurableObject(objects.getByName(projectId), (_, { storage }) => storage.deleteAlarm())

/** Runs an operation in a new project, with this fate; `repeats`: as a client that repeats the request after a 503. */
async function run({ asking, isRun }: Operation, fate: Fate, repeats = false): Promise<Outcome & { first: Answer }> {
  const who = person(['admin', 'creator', 'key-manager:service-admin'])
  platform.decide(healthy)
  const given = { send: platform.send, who }
  // The project has its key, and the isolate has cached it, the token and the limits.
  await platform.send('POST', '/v1/secrets', {
    token: who.token,
    json: { payload: 'x', payload_content_type: 'text/plain' },
  })
  const { method, path, request } = await asking(given)
  await platform.settled()
  const before = await rowCounts()
  platform.decide(fate)
  const ask = () => platform.send(method, path, { token: who.token, ...request })
  const first = await ask()
  await platform.settled()
  const calls = platform.calls()
  platform.decide(healthy)
  const answer = repeats && first.status === 503 ? await ask() : first
  await platform.settled()
  const outcome = { first, answer, calls, gained: gained(before, await rowCounts()) }
  if (isRun) await silenceAlarm(who.projectId)
  return outcome
}

const at =
  (call: number, failure: () => Failure): Fate =>
  (number) =>
    number === call ? failure() : null

const from =
  (call: number, failure: () => Failure): Fate =>
  (number) =>
    number >= call ? failure() : null

let turn = 0
/** All of the errors in a full run, otherwise one of them, each time another. */
const some = <One>(errors: readonly One[]): readonly One[] => (isFull ? errors : [errors[turn++ % errors.length]!])

/** Failures of one call after which an operation succeeds. */
const single = (): Failure[] =>
  (['request', 'answer'] as const).flatMap((lost) => [
    ...some(repeatableErrors).map((message) => ({ lost, error: new Error(message) })),
    ...some([objectErrors.repeatable, objectErrors.restarted]).map((make) => ({ lost, error: make() })),
  ])

describe.each(operations)('$name', { timeout: MOST_MILLISECONDS }, (operation) => {
  it(`an error at any call that passes changes neither the answer nor what is stored: ${operation.name}`, async () => {
    const undisturbed = await run(operation, healthy)
    expect(undisturbed.answer.status).toBeLessThan(300)
    for (let call = 1; call <= undisturbed.calls; call += 1) {
      for (const failure of single()) {
        const what = `call ${call}, ${failure.lost} lost: ${failure.error.message}`
        const { answer, gained: rows } = await run(
          operation,
          at(call, () => failure),
        )
        expect([what, answer.status, rows]).toEqual([what, undisturbed.answer.status, undisturbed.gained])
      }
      // The database was reset: a change that it stored is found, and one that it lost is for the client to repeat.
      for (const message of some(resetErrors)) {
        const reset = (lost: Failure['lost']) => () => ({ lost, error: new Error(message) })
        for (const lost of ['request', 'answer'] as const) {
          const { first, answer, gained: rows } = await run(operation, at(call, reset(lost)), true)
          expect([message, first.status]).toEqual([message, expect.toBeOneOf([undisturbed.answer.status, 503])])
          if (operation.isRun) continue
          expect([message, lost, answer.status, rows]).toEqual([
            message,
            lost,
            undisturbed.answer.status,
            undisturbed.gained,
          ])
        }
      }
    }
    for (const table of countedTables) expect(await database.prepare(miscounted(table)).first('n'), table).toBe(0)
  })

  it(`errors that last are answered with 503, and the client's repetition succeeds: ${operation.name}`, async () => {
    const undisturbed = await run(operation, healthy)
    for (let call = 1; call <= undisturbed.calls; call += 1) {
      const lasting = some([...repeatableErrors, ...overloadErrors]).map((message) => new Error(message))
      for (const error of [...lasting, objectErrors.overloaded()]) {
        const {
          first,
          answer,
          gained: rows,
        } = await run(
          operation,
          from(call, () => ({ lost: 'request', error })),
          true,
        )
        const what = `from call ${call}: ${error.message}`
        expect([what, first.status]).toEqual([what, expect.toBeOneOf([undisturbed.answer.status, 503])])
        if (first.status === 503) expect(first.headers.get('Retry-After')).toMatch(/^\d+$/)
        if (operation.isRun) continue
        expect([what, answer.status, rows]).toEqual([what, undisturbed.answer.status, undisturbed.gained])
      }
    }
    for (const table of countedTables) expect(await database.prepare(miscounted(table)).first('n'), table).toBe(0)
  })
})
