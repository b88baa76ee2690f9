/**
 * T33: simultaneous requests on one secret, through several isolates, have results that one order of them explains. The
 * register is the ACL of a secret: PUT writes it, GET reads it, DELETE of the secret removes it. Hundreds of short
 * histories are recorded and checked. The checker is shown to fail, on histories written by hand and on a recorded one
 * of an isolate whose replica lags behind: without a bookmark its reads are not linearizable, as documented.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { isolate, type Answer } from '../support/client.ts'
import { isLinearizable, recorder, type Effect, type Recorded } from '../support/linearizability.ts'
import { owner, type Person } from '../support/people.ts'
import { migrateReplica, replicated } from '../support/replica.ts'
import { secret } from '../support/stored.ts'

/** The value of a secret without an ACL. */
const INITIAL = 'nobody'

let who: Person
beforeAll(async () => {
  who = await owner()
})

type Send = ReturnType<typeof isolate>

function refused(answer: Answer): 'absent' {
  if (answer.status !== 404) throw new Error(`${answer.status} ${answer.text}`)
  return 'absent'
}

const write = async (send: Send, ref: string, value: string): Promise<Effect> => {
  const answer = await send('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: [value] } } })
  return { kind: 'write', value, result: answer.status === 200 ? 'written' : refused(answer) }
}

const read = async (send: Send, ref: string): Promise<Effect> => {
  const answer = await send('GET', `${ref}/acl`, { token: who.token })
  return {
    kind: 'read',
    result: answer.status === 200 ? { value: answer.json.read.users?.[0] ?? INITIAL } : refused(answer),
  }
}

const remove = async (send: Send, ref: string): Promise<Effect> => {
  const answer = await send('DELETE', ref, { token: who.token })
  return { kind: 'remove', result: answer.status === 204 ? 'removed' : refused(answer) }
}

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0
    return state % below
  }
}

const CLIENTS = 3
const OPERATIONS = 2

/** Runs several clients on a new secret, each with operations one after the other, and returns the history. */
async function historyOf(seed: number, isolates: readonly Send[]): Promise<readonly Recorded[]> {
  const ref = await secret(who)
  const { record, history } = recorder()
  const client = async (at: number) => {
    const random = numbers(seed * CLIENTS + at)
    for (let step = 0; step < OPERATIONS; step += 1) {
      const send = isolates[random(isolates.length)] ?? isolate()
      const choice = random(10)
      if (choice === 0) await record(() => remove(send, ref))
      else if (choice < 5) await record(() => write(send, ref, `client ${at}, step ${step}`))
      else await record(() => read(send, ref))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, at) => client(at)))
  return history()
}

const overlaps = (history: readonly Recorded[]) =>
  history.some((one) => history.some((other) => one.called < other.called && other.called < one.answered))

describe('T33: simultaneous requests on one secret', () => {
  const HISTORIES = 204
  const AT_ONCE = 6

  it(`T33: simultaneous requests on one secret are linearizable in ${HISTORIES} histories through four isolates`, async () => {
    const isolates = Array.from({ length: 4 }, () => isolate())
    const histories: (readonly Recorded[])[] = []
    for (let seed = 0; seed < HISTORIES; seed += AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, (_, at) => historyOf(seed + at, isolates))
      histories.push(...(await Promise.all(some)))
    }
    const wrong = histories.find((history) => !isLinearizable(history, INITIAL))
    expect(JSON.stringify(wrong)).toBeUndefined()
    // The histories are worth checking: operations overlap, and all of their results occur.
    expect(histories.filter(overlaps).length).toBeGreaterThan(HISTORIES * 0.9)
    const results = histories.flat().map(({ effect }) => {
      const { kind, result } = effect
      return `${kind} ${typeof result === 'string' ? result : 'value'}`
    })
    expect([...new Set(results)].toSorted()).toEqual([
      'read absent',
      'read value',
      'remove absent',
      'remove removed',
      'write absent',
      'write written',
    ])
  }, 60_000)

  it('T33: a replica that lags behind gives a history that the checker refuses, and with a bookmark one that it accepts', async () => {
    await migrateReplica()
    const ref = await secret(who)
    const { binding, catchUp } = replicated()
    await catchUp()
    const [lagging, primary] = [isolate({ DB: binding }), isolate()]
    const { record, history } = recorder()
    await record(() => read(lagging, ref))
    const written = await primary('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: ['new'] } } })
    await record(async () => ({ kind: 'write', value: 'new', result: 'written' }))
    const bookmark = { 'X-D1-Bookmark': written.headers.get('X-D1-Bookmark') ?? '' }
    const reached: typeof lagging = (method, path, request) => lagging(method, path, { ...request, headers: bookmark })
    await record(() => read(reached, ref))
    expect(history().at(-1)?.effect.result).toEqual({ value: 'new' })
    expect(isLinearizable(history(), INITIAL)).toBe(true)
    await record(() => read(lagging, ref))
    expect(history().at(-1)?.effect.result).toEqual({ value: INITIAL })
    expect(isLinearizable(history(), INITIAL)).toBe(false)
  })
})

describe('the checker of histories', () => {
  const at = (called: number, answered: number, effect: Effect): Recorded => ({ called, answered, effect })
  const sees = (value: string): Effect => ({ kind: 'read', result: { value } })
  const writes = (value: string): Effect => ({ kind: 'write', value, result: 'written' })
  const removes: Effect = { kind: 'remove', result: 'removed' }
  const absent: Effect = { kind: 'read', result: 'absent' }

  it.each<[string, readonly Recorded[]]>([
    ['has no operation', []],
    ['reads the initial value', [at(1, 2, sees(INITIAL))]],
    ['reads a value before its write has ended', [at(1, 4, writes('a')), at(2, 3, sees('a'))]],
    ['reads the old value while the new one is written', [at(1, 4, writes('a')), at(2, 3, sees(INITIAL))]],
    [
      'orders two simultaneous writes by a later read',
      [at(1, 4, writes('a')), at(2, 3, writes('b')), at(5, 6, sees('a'))],
    ],
    ['writes and removes at the same moment', [at(1, 4, writes('a')), at(2, 3, removes), at(5, 6, absent)]],
  ])('the checker accepts a history that %s', (_, history) => {
    expect(isLinearizable(history, INITIAL)).toBe(true)
  })

  it.each<[string, readonly Recorded[]]>([
    ['reads a value that nobody wrote', [at(1, 2, sees('a'))]],
    ['reads the old value after a write has ended', [at(1, 2, writes('a')), at(3, 4, sees(INITIAL))]],
    ['reads a value before its write began', [at(1, 2, sees('a')), at(3, 4, writes('a'))]],
    [
      'shows two readers two writes in opposite orders',
      [at(1, 10, writes('a')), at(2, 9, writes('b')), at(3, 4, sees('a')), at(5, 6, sees('b')), at(7, 8, sees('a'))],
    ],
    ['reads a value after the removal', [at(1, 2, removes), at(3, 4, sees(INITIAL))]],
    ['removes twice', [at(1, 4, removes), at(2, 3, removes)]],
    ['misses what was never removed', [at(1, 2, absent)]],
    ['loses a write', [at(1, 2, writes('a')), at(3, 4, writes('b')), at(5, 6, sees('a'))]],
  ])('the checker refuses a history that %s', (_, history) => {
    expect(isLinearizable(history, INITIAL)).toBe(false)
  })
})
