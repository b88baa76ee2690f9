/**
 * The bound for the age of answers, over the service itself: random changes through one isolate, a replica that catches up
 * in commit order and by parts, a clock that is moved, and look-ups through two other isolates. After a change was
 * acknowledged for as long as a look-up accepts, nobody reads what it took away; before a change everybody may read.
 */
import { array, assert, asyncProperty, constant, constantFrom, integer, nat, oneof, record } from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { call, identityBase, isolate } from '../support/client.ts'
import { adminToken } from '../support/identity.ts'
import { owner, person, type Person } from '../support/people.ts'
import { migrateReplica, replicated } from '../support/replica.ts'
import { secret } from '../support/stored.ts'

const RUNS = Number(process.env['AGES'] ?? 5)
const BOUND = 10
const text = { payload: 'x', payload_content_type: 'text/plain' }
const kinds = ['deleted', 'withdrawn', 'disabled'] as const
type Kind = (typeof kinds)[number]

const { binding, catchUp, replay } = replicated()
const bound = () => ({ DB: { withSession: (constraint: string) => binding.withSession(constraint) } })
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

let who: Person
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  await migrateReplica()
  who = await owner()
})
afterAll(() => void vi.useRealTimers())

const step = oneof(
  record({ kind: constant('change' as const), change: constantFrom(...kinds) }),
  record({ kind: constant('replay' as const), batches: integer({ min: 1, max: 3 }) }),
  record({ kind: constant('pass' as const), seconds: constantFrom(1, 2, 4) }),
  record({
    kind: constant('look' as const),
    reader: nat({ max: 1 }),
    of: constantFrom(...kinds),
    accepts: constantFrom('', 'max-age=10', 'max-age=5', 'no-cache'),
  }),
)

/** Somebody whose right to a secret each kind of change ends in its own way. */
async function given() {
  const [member, other] = [await person(['creator']), await person(['creator'])]
  const refs = {
    deleted: await secret(who, text),
    withdrawn: await secret(who, text),
    disabled: await secret(who, text),
  }
  const readers = { read: { users: [member.userId, other.userId], 'project-access': false } }
  for (const ref of Object.values(refs)) await call('PUT', `${ref}/acl`, { token: who.token, json: readers })
  return { refs, tokens: { deleted: member.token, withdrawn: member.token, disabled: other.token }, other }
}

it(`in ${RUNS} histories what was taken away is read no longer than each look-up accepts`, async () => {
  await assert(
    asyncProperty(array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const { refs, tokens, other } = await given()
      const admin = await adminToken()
      const writer = isolate(bound())
      const readers = [isolate(bound()), isolate(bound())]
      await catchUp()
      const ended = new Map<Kind, number>()
      const change = {
        deleted: () => writer('DELETE', refs.deleted, { token: who.token }),
        withdrawn: () =>
          writer('PUT', `${refs.withdrawn}/acl`, {
            token: who.token,
            json: { read: { users: [], 'project-access': false } },
          }),
        disabled: () =>
          writer('PATCH', `${identityBase}/users/${other.userId}`, {
            token: admin,
            json: { user: { enabled: false } },
          }),
      }
      for (const one of steps) {
        if (one.kind === 'replay') await replay(one.batches)
        else if (one.kind === 'pass') pass(one.seconds)
        else if (one.kind === 'change') {
          if (ended.has(one.change)) continue
          expect((await change[one.change]()).status).toBeLessThan(300)
          ended.set(one.change, Date.now())
        } else {
          const headers = one.accepts === '' ? {} : { 'Cache-Control': one.accepts }
          const accepted = { '': BOUND, 'max-age=10': 10, 'max-age=5': 5, 'no-cache': 0 }[one.accepts] ?? 0
          const token = tokens[one.of]
          const answer = await readers[one.reader]?.('GET', `${refs[one.of]}/payload`, { token, headers })
          const since = ended.get(one.of)
          const age = Number(answer?.headers.get('Age') ?? 0)
          expect(age).toBeLessThanOrEqual(accepted)
          if (since === undefined) expect([one, answer?.status]).toEqual([one, 200])
          else if (Date.now() - since >= accepted * 1000) expect([401, 403, 404]).toContain(answer?.status)
        }
      }
    }),
    { numRuns: RUNS, seed: 20_261_130 },
  )
}, 300_000)
