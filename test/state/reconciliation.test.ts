/**
 * Reconciliation: after a restore, or under fresh objects, an operator sees what differs, confirms it, and the objects take
 * it over, with an event that says who did it and what was lost.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { findBreak, type ChainedEvent } from '../../src/crypto/event-chain.ts'
import { DEPLOYMENT } from '../../src/state/audit/events.ts'
import { ADOPTED_AT_ONCE } from '../../src/state/object/reconciliation.ts'
import { fill } from '../growth/fill.ts'
import { alarmOf, eventsOf, incidentsOf, objectOf, renew } from '../support/audited-object.ts'
import { call, database, type Answer } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

const log = vi.spyOn(console, 'error').mockImplementation(() => {})
const payload = { payload: 'a payload', payload_content_type: 'text/plain' }

let operator: Person
let who: Person
beforeAll(async () => {
  operator = await person(['key-manager:service-admin'])
}, HOOK_MILLISECONDS)
beforeEach(async () => {
  who = await owner()
  log.mockClear()
})
afterEach(() => void vi.useRealTimers())

const ask = (json: object): Promise<Answer> => call('POST', '/admin/reconcile', { token: operator.token, json })
const ofProject = () => ({ project_id: who.projectId })

/** Reports until all rows are compared. */
async function report(json: object): Promise<Answer['json']> {
  for (;;) {
    const { status, json: found } = await ask(json)
    expect(status).toBe(200)
    if (found.complete) return found
  }
}

async function adopted(json: object): Promise<Answer['json']> {
  const { confirm } = await report(json)
  const answer = await ask({ ...json, confirm })
  expect([answer.status, answer.json.adopted]).toEqual([200, true])
  return answer.json
}

describe('POST /admin/reconcile', () => {
  it('POST /admin/reconcile reports nothing, and nothing to confirm, where only the service has written', async () => {
    await secret(who, payload)
    expect(await report(ofProject())).toEqual({ adopted: false, complete: true, projects: [] })
    expect(await incidentsOf(who.projectId)).toEqual([])
  })

  it('POST /admin/reconcile reports what a restore changed, adopts it once it is confirmed, and all is quiet', async () => {
    const [kept, gone] = [await secret(who, payload), await secret(who, payload)]
    await alarmOf(who.projectId)
    const before = (await eventsOf(who.projectId)).length
    // Time Travel to a state before the second secret.
    await database.prepare('delete from secrets where id = ?').bind(idOf(gone)).run()
    await database
      .prepare('delete from audit_events where project_id = ? and target_id = ?')
      .bind(who.projectId, idOf(gone))
      .run()
    const found = await report(ofProject())
    expect(found.projects).toMatchObject([
      {
        project_id: who.projectId,
        complete: true,
        incidents: [{ expected: { number: before }, found: { number: before - 1 } }],
        rows: { changed: 0, gone: 1, unknown: 0, first: [`secret/${idOf(gone)} gone`] },
      },
    ])
    expect((await ask({ ...ofProject(), confirm: found.confirm })).status).toBe(200)
    expect(await report(ofProject())).toEqual({ adopted: false, complete: true, projects: [] })
    await alarmOf(who.projectId)
    const event = (await eventsOf(who.projectId)).findLast(({ action }) => action === 'update')
    expect(event?.initiator_id).toBe(operator.userId)
    expect(event?.operation).toBe(
      `Reconciliation: 1 rows differ: 0 changed, 1 gone, 0 unknown, first secret/${idOf(gone)} gone; the log ended at event ${before - 1}, its head was event ${before}`,
    )
    expect(event?.number).toBeGreaterThan(before)
    const { rows, incidents } = await objectOf(who.projectId).integrity()
    expect(rows).toEqual([])
    expect(incidents).toMatchObject([{ reconciled: expect.any(String) }])
    expect((await call('GET', `${kept}/payload`, { token: who.token })).status).toBe(200)
    const summary = (await eventsOf(DEPLOYMENT)).find(({ target_type: type }) => type.endsWith('audit-log'))
    expect(summary).toMatchObject({ operation: 'Reconciliation of 1 projects', initiator_id: operator.userId })
  })

  it('POST /admin/reconcile compares anew after a restore, however short before it the last report was', async () => {
    await secret(who, payload)
    await alarmOf(who.projectId)
    expect(await report(ofProject())).toMatchObject({ projects: [] })
    const gone = idOf(await secret(who, payload))
    await alarmOf(who.projectId)
    await database.prepare('delete from secrets where id = ?').bind(gone).run()
    await database.prepare('delete from audit_events where target_id = ?').bind(gone).run()
    const { projects, confirm } = await report(ofProject())
    expect(projects).toMatchObject([{ incidents: [{}], rows: { gone: 1, first: [`secret/${gone} gone`] } }])
    expect((await report(ofProject())).confirm).toBe(confirm)
  })

  it('POST /admin/reconcile has fresh objects take over old rows, and continues the chain', async () => {
    const refs = [await secret(who, payload), await secret(who, payload)]
    await alarmOf(who.projectId)
    await renew(who.projectId)
    const { projects } = await adopted(ofProject())
    expect(projects[0].rows).toMatchObject({ changed: 0, gone: 0, unknown: 2 })
    await alarmOf(who.projectId)
    // The ledger knows them now: one that is removed is missed.
    await database
      .prepare('delete from secrets where id = ?')
      .bind(idOf(refs[0] ?? ''))
      .run()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 })
    await alarmOf(who.projectId)
    await alarmOf(who.projectId)
    vi.useRealTimers()
    expect((await objectOf(who.projectId).integrity()).rows).toEqual([`secret/${idOf(refs[0] ?? '')} gone`])
    const auditor = await person(['audit'], { projectId: who.projectId })
    const { json } = await call('GET', '/v1/audit?limit=100&head=true', { token: auditor.token })
    const events: ChainedEvent[] = json.events
    expect(events.map(({ number }) => number)).toEqual(events.map((_, at) => at + 1))
    const fresh = events.findIndex(({ action }) => action === 'monitor')
    expect(await findBreak(events.slice(0, fresh))).toBeNull()
    expect(await findBreak(events.slice(fresh))).toBeNull()
  })

  it('POST /admin/reconcile adopts nothing for a value that is not that of the present report', async () => {
    const refs = [await secret(who, payload), await secret(who, payload)]
    await alarmOf(who.projectId)
    const remove = (ref: string) => database.prepare('delete from secrets where id = ?').bind(idOf(ref)).run()
    await remove(refs[0] ?? '')
    const { confirm } = await report(ofProject())
    for (const wrong of ['0'.repeat(64), 'x']) expect((await ask({ ...ofProject(), confirm: wrong })).status).toBe(409)
    await remove(refs[1] ?? '')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_800_000 })
    expect((await ask({ ...ofProject(), confirm })).status).toBe(409)
    vi.useRealTimers()
    expect((await objectOf(who.projectId).integrity()).rows).toHaveLength(2)
  })

  it('POST /admin/reconcile is resumed where there is more to compare and to adopt than one call may do', async () => {
    const each = 26_000
    await fill('large-', 1, each)
    const json = { project_id: 'large-0' }
    const first = await ask(json)
    expect(first.json.projects).toMatchObject([{ project_id: 'large-0', complete: false }])
    const done = await adopted(json)
    expect(done.projects[0].rows).toMatchObject({ unknown: 2 * each })
    expect((await objectOf('large-0').integrity()).rows).not.toEqual([])
    let alarms = 0
    while ((await objectOf('large-0').integrity()).rows.length > 0) {
      await alarmOf('large-0')
      alarms += 1
    }
    expect(alarms).toBeLessThanOrEqual(Math.ceil((2 * each) / ADOPTED_AT_ONCE))
    expect(await report(json)).toMatchObject({ projects: [] })
    // The incident when it was found, its sum, and the reconciliation.
    expect((await eventsOf('large-0')).length).toBeLessThanOrEqual(3)
  }, 180_000)

  it('POST /admin/reconcile goes through all projects, a page at a time', async () => {
    const prefix = 'paged-'
    await fill(prefix, 45, 1)
    const ids: string[] = []
    let marker: string | undefined = 'paged'
    for (let page = 0; marker !== undefined && page < 4; page += 1) {
      const found: Answer['json'] = await report({ marker })
      ids.push(...found.projects.map((one: { project_id: string }) => one.project_id))
      marker = found.marker
    }
    const own = ids.filter((id) => id.startsWith(prefix))
    expect(new Set(own).size).toBe(45)
    expect(own).toHaveLength(45)
  })

  it('POST /admin/reconcile is refused to everybody else, and for what is no id of a project', async () => {
    for (const token of [who.token, (await person(['audit'])).token]) {
      expect((await call('POST', '/admin/reconcile', { token, json: {} })).status).toBe(403)
    }
    for (const json of [{ project_id: 'a b' }, { project_id: 7 }, { confirm: '' }, { unknown: true }])
      expect((await ask(json)).status).toBe(400)
    const bare = await call('POST', '/admin/reconcile', { token: operator.token })
    expect(bare.status).toBe(200)
  })
})
