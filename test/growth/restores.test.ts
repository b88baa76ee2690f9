/**
 * Restores of a large database: after the objects were lost, and after Time Travel, there is one incident, an operator
 * reconciles it in bounded calls, and then all is quiet. `npm run growth` does it with 100,000 rows and prints the
 * figures; the test suite has smaller ones in `test/state/patrol.test.ts` and `test/state/reconciliation.test.ts`.
 */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MOST_STATEMENTS_PER_ALARM } from '../../src/state/object/project-object.ts'
import { DAY, formatTime } from '../../src/times.ts'
import { alarmOf, alarmTimeOf, eventsOf, objectOf } from '../support/audited-object.ts'
import { database } from '../support/client.ts'
import { cloudOfKeystone } from '../support/people.ts'
import { fill } from './fill.ts'

const full = (env as unknown as { readonly GROWTH: string }).GROWTH === 'full'
const EACH = 50_000
const LOST = 20_000
const PROJECT = 'restored-0'

vi.spyOn(console, 'error').mockImplementation(() => {})
const { keystone, send } = cloudOfKeystone()

/** The figures of each part, for the table. */
const figures: string[][] = []

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

interface Alarms {
  readonly count: number
  /** The most statements of one alarm. */
  readonly most: number
  readonly seconds: number
  readonly events: number
}

/** Runs alarms as they fall due, for so long. */
async function alarmsDuring(milliseconds: number): Promise<Alarms> {
  const [until, began, before] = [Date.now() + milliseconds, performance.now(), (await eventsOf(PROJECT)).length]
  let [count, most] = [0, 0]
  for (;;) {
    const at = await alarmTimeOf(PROJECT)
    if (at === null || at > until) break
    vi.setSystemTime(Math.max(at, Date.now()))
    most = Math.max(most, (await alarmOf(PROJECT)) ?? 0)
    count += 1
  }
  vi.setSystemTime(until)
  const seconds = (performance.now() - began) / 1_000
  return { count, most, seconds, events: (await eventsOf(PROJECT)).length - before }
}

const show = (part: string, { count, most, seconds, events }: Alarms, unit = 'alarms') =>
  figures.push([part, `${count} ${unit}`, `${most} statements`, `${events} events`, `${seconds.toFixed(1)} s`])

/** Reports until all is compared, confirms, and lets the object adopt. */
async function reconcile(): Promise<{ readonly calls: number; readonly rows: unknown }> {
  // Tokens do not last as long as the time that the test lets pass.
  const roles = ['key-manager:service-admin']
  const ask = (json: object) =>
    send('POST', '/admin/reconcile', {
      token: keystone.issue({ userId: 'operator', projectId: 'operators', roles }),
      json,
    })
  for (let calls = 1; ; calls += 1) {
    const { json } = await ask({ project_id: PROJECT })
    if (!json.complete) continue
    const [{ rows }] = json.projects
    expect((await ask({ project_id: PROJECT, confirm: json.confirm })).json.adopted).toBe(true)
    return { calls: calls + 1, rows }
  }
}

describe.runIf(full)('a restored project of 100,000 rows', () => {
  it(
    'a restored project of 100,000 rows has one incident, is reconciled, and is quiet',
    { timeout: 1_800_000 },
    async () => {
      await fill('restored-', 1, EACH)
      await objectOf(PROJECT).sealBy(formatTime(Date.now()))
      const found = await alarmsDuring(2 * DAY)
      show('fresh objects', found)
      expect(found.events).toBe(2)

      const began = performance.now()
      const adoption = await reconcile()
      show(
        'reconcile',
        { count: adoption.calls, most: 0, events: 1, seconds: (performance.now() - began) / 1_000 },
        'calls',
      )
      expect(adoption.rows).toMatchObject({ changed: 0, gone: 0, unknown: 2 * EACH })
      const quiet = await alarmsDuring(7 * DAY)
      show('a week after', quiet)
      expect([quiet.events, (await objectOf(PROJECT).integrity()).rows]).toEqual([0, []])

      // Time Travel to a state that lacks the newest secrets.
      await database
        .prepare(
          'delete from secrets where seq in (select seq from secrets where project_id = ? order by seq desc limit ?)',
        )
        .bind(PROJECT, LOST)
        .run()
      const travelled = await alarmsDuring(2 * DAY)
      show('Time Travel', travelled)
      expect(travelled.events).toBeLessThanOrEqual(2)
      const second = await reconcile()
      expect(second.rows).toMatchObject({ changed: 0, gone: LOST, unknown: 0 })
      const after = await alarmsDuring(7 * DAY)
      show('a week after', after)
      expect([after.events, (await objectOf(PROJECT).integrity()).rows]).toEqual([0, []])

      const most = Math.max(...[found, quiet, travelled, after].map((one) => one.most))
      expect(most).toBeLessThan(MOST_STATEMENTS_PER_ALARM)
      expect((await eventsOf(PROJECT)).length).toBeLessThanOrEqual(6)
    },
  )
})

afterAll(() => {
  if (full) console.log(figures.map((cells) => cells.map((text) => text.padEnd(18)).join('')).join('\n'))
})
