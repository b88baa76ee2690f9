/**
 * The patrol of a project's object after a restore: one incident that sums up, a bounded number of statements for each
 * alarm, then quiet; and an object of a project where nothing changes is not woken.
 */
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  COMPARISON_INTERVAL,
  LONGEST_INTERVAL,
  PASSES_UNTIL_IDLE,
  ROWS_PER_STEP,
  STEPS_PER_COMPARISON,
} from '../../src/state/object/patrol.ts'
import { MOST_STATEMENTS_PER_ALARM } from '../../src/state/object/project-object.ts'
import { formatTime } from '../../src/times.ts'
import { fill } from '../growth/fill.ts'
import { alarmOf, alarmTimeOf, eventsOf, incidentsOf, objectOf, renew } from '../support/audited-object.ts'
import { call, database } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { entriesOf } from '../support/log-lines.ts'

const log = vi.spyOn(console, 'error').mockImplementation(() => {})
const logged = () => entriesOf(log).map(({ event }) => event)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  log.mockClear()
})
afterEach(() => void vi.useRealTimers())

/** Runs alarms as they fall due, for so long. Returns the statements of each. */
async function alarmsDuring(projectId: string, milliseconds: number): Promise<number[]> {
  const until = Date.now() + milliseconds
  const statements: number[] = []
  for (;;) {
    const at = await alarmTimeOf(projectId)
    if (at === null || at > until) break
    vi.setSystemTime(Math.max(at, Date.now()))
    statements.push((await alarmOf(projectId)) ?? 0)
  }
  vi.setSystemTime(until)
  return statements
}

const DAY = 86_400_000

describe('an object that has lost what it stored', () => {
  const each = ROWS_PER_STEP * STEPS_PER_COMPARISON + 100
  const projectId = 'patrolled-0'

  it('an object under 20,000 rows that it does not know records one incident that sums up, with bounded alarms, then nothing', async () => {
    await fill('patrolled-', 1, each)
    await objectOf(projectId).sealBy(formatTime(Date.now()))
    const statements = await alarmsDuring(projectId, 3 * DAY)
    expect(Math.max(...statements)).toBeLessThan(MOST_STATEMENTS_PER_ALARM)
    expect(MOST_STATEMENTS_PER_ALARM).toBeLessThan(1_000)
    const incidents = await incidentsOf(projectId)
    // The first comparison reports what it met; the pass, when it has ended, reports the sum.
    expect(incidents).toHaveLength(2)
    expect(incidents.at(-1)?.operation).toContain(`${2 * each} rows differ: 0 changed, 0 gone, ${2 * each} unknown`)
    expect(logged()).toEqual(['rows differ from ledger', 'rows differ from ledger'])
    await alarmsDuring(projectId, 4 * DAY)
    expect(await eventsOf(projectId)).toHaveLength(2)
    expect(log).toHaveBeenCalledTimes(2)
  }, 120_000)
})

describe('a project of a person', () => {
  let who: Person
  beforeEach(async () => {
    who = await owner()
  })
  const payload = { payload: 'a payload', payload_content_type: 'text/plain' }

  /** Deletes a secret as the service does, at a time at which no token is valid any more. */
  async function deletionOf({ projectId }: Person, id: string): Promise<void> {
    await database.prepare('delete from secrets where id = ?').bind(id).run()
    const event = `insert into audit_events (id, project_id, time, action, outcome, target_type, target_id, operation)
      values (?, ?, ?, 'delete', 'success', 'data/security/secret', ?, 'Test')`
    await database.prepare(event).bind(id, projectId, formatTime(Date.now()), id).run()
  }

  it('an object that was made anew under old rows and an old log records one incident about each, then nothing', async () => {
    for (const _ of [1, 2, 3]) await secret(who, payload)
    await alarmsDuring(who.projectId, COMPARISON_INTERVAL)
    const before = (await eventsOf(who.projectId)).length
    await renew(who.projectId)
    await alarmsDuring(who.projectId, 3 * DAY)
    const texts = (await eventsOf(who.projectId)).slice(before).map(({ operation }) => operation)
    expect(texts).toEqual([
      `Sealing of the audit log: the log ended at event ${before}, its head was event 0`,
      expect.stringMatching(
        /^Comparison of rows: 3 rows differ: 0 changed, 0 gone, 3 unknown; newly found 3, first secret/,
      ),
    ])
  })

  it('a row that differs anew is reported, beside the rows that were reported before', async () => {
    const refs = [await secret(who, payload), await secret(who, payload)]
    await alarmsDuring(who.projectId, COMPARISON_INTERVAL)
    for (const ref of refs) {
      await database.prepare('delete from secrets where id = ?').bind(idOf(ref)).run()
      await alarmsDuring(who.projectId, DAY)
    }
    const incidents = await incidentsOf(who.projectId)
    expect(incidents.map(({ target_id: id }) => id)).toEqual(refs.map(idOf))
    expect((await objectOf(who.projectId).integrity()).rows.toSorted()).toEqual(
      refs.map((ref) => `secret/${idOf(ref)} gone`).toSorted(),
    )
  })

  it('a row that the service changes after it was reported differs no more', async () => {
    const ref = await secret(who, payload)
    await alarmsDuring(who.projectId, COMPARISON_INTERVAL)
    await database.prepare("update secrets set mac = 'x' where id = ?").bind(idOf(ref)).run()
    await alarmsDuring(who.projectId, DAY)
    expect((await objectOf(who.projectId).integrity()).rows).toEqual([`secret/${idOf(ref)} changed`])
    await deletionOf(who, idOf(ref))
    await objectOf(who.projectId).sealBy('2026-01-01T00:00:00.000000')
    await alarmOf(who.projectId)
    expect((await objectOf(who.projectId).integrity()).rows).toEqual([])
  })

  it('comparisons of an unchanged project become daily, and end until the next change', async () => {
    await secret(who, payload)
    await alarmsDuring(who.projectId, COMPARISON_INTERVAL / 2)
    const waits: number[] = []
    for (let at = await alarmTimeOf(who.projectId); at !== null; at = await alarmTimeOf(who.projectId)) {
      waits.push(Math.round((at - Date.now()) / COMPARISON_INTERVAL))
      vi.setSystemTime(at)
      await alarmOf(who.projectId)
    }
    expect(waits.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 24, 24])
    expect(waits.length).toBe(PASSES_UNTIL_IDLE)
    expect(Math.max(...waits)).toBe(LONGEST_INTERVAL / COMPARISON_INTERVAL)
    await objectOf(who.projectId).sealBy('2026-01-01T00:00:00.000000')
    await alarmOf(who.projectId)
    expect(await alarmTimeOf(who.projectId)).toBeNull()
    await deletionOf(who, 'another')
    await objectOf(who.projectId).sealBy('2026-01-01T00:00:00.000000')
    await alarmOf(who.projectId)
    expect(await alarmTimeOf(who.projectId)).not.toBeNull()
  })

  it('the object of a project without rows is not woken again', async () => {
    await call('DELETE', await secret(who), { token: who.token })
    await alarmsDuring(who.projectId, 2 * COMPARISON_INTERVAL)
    expect(await alarmTimeOf(who.projectId)).toBeNull()
  })

  it('a comparison that is cut off is not made again before its time', async () => {
    await secret(who, payload)
    await alarmsDuring(who.projectId, COMPARISON_INTERVAL / 2)
    vi.setSystemTime((await alarmTimeOf(who.projectId)) ?? 0)
    const begun = Date.now()
    await runInDurableObject(objectOf(who.projectId), async (instance) => {
      const { env } = instance as unknown as { env: { DB: D1Database } }
      const cut = () => Promise.reject(new Error('the power is cut'))
      const withSession = () => ({ batch: cut, prepare: env.DB.prepare.bind(env.DB), getBookmark: () => null })
      Object.assign(instance, { env: { ...env, DB: { withSession } as unknown as D1Database } })
      await instance.alarm()
      Object.assign(instance, { env })
    })
    expect(logged()).toContain('alarm failed')
    await alarmsDuring(who.projectId, COMPARISON_INTERVAL / 2)
    expect((await alarmTimeOf(who.projectId)) ?? 0).toBeGreaterThanOrEqual(begun + COMPARISON_INTERVAL / 2)
  })
})
