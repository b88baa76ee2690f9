/**
 * In whose log an event is, and what it says about the row: a consumer of another project is in the log of the entity's
 * project, and a refused deletion makes the ledger forget nothing.
 */
import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { COMPARISON_INTERVAL } from '../../src/state/object/patrol.ts'
import { call, database } from '../support/client.ts'
import { owner, person, type Person } from '../support/people.ts'
import { acl, container, idOf, keyOrder, secret } from '../support/stored.ts'

const log = vi.spyOn(console, 'error').mockImplementation(() => {})
const object = (who: Person) => (env as unknown as Environment).PROJECT.getByName(who.projectId)

interface Row {
  readonly project_id: string
  readonly action: string
  readonly outcome: string
  readonly target_type: string
  readonly initiator_project_id: string
}

const eventsAbout = async (id: string, kind: string) => {
  const { results } = await database
    .prepare('select * from audit_events where target_id = ? and target_type = ? order by seq')
    .bind(id, `data/security/${kind}`)
    .all<Row>()
  return results.map(({ project_id, action, initiator_project_id: by }) => ({ project: project_id, action, by }))
}

beforeEach(() => void log.mockClear())
afterAll(() => {
  log.mockRestore()
})

describe('the event of a consumer', () => {
  it.each([
    ['secret', secret, { service: 'image', resource_type: 'image', resource_id: 'i' }],
    ['container', container, { name: 'image', URL: 'https://image.example/' }],
  ] as const)(
    'the event of a consumer of a %s is in the log of the project that owns it, whoever registered it',
    async (kind, make, json) => {
      const [mine, guest] = [await owner(), await person(['creator', 'observer'])]
      const ref = await make(mine)
      await acl(mine, ref, { users: [guest.userId] })
      for (const method of ['POST', 'DELETE']) {
        expect((await call(method, `${ref}/consumers`, { token: guest.token, json })).status).toBe(200)
      }
      const event = { project: mine.projectId, by: guest.projectId }
      expect(await eventsAbout(idOf(ref), `${kind}/consumer`)).toEqual([
        { ...event, action: 'create' },
        { ...event, action: 'delete' },
      ])
    },
  )
})

describe('a refused deletion', () => {
  let who: Person
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    who = await owner()
  })
  afterEach(() => void vi.useRealTimers())

  /** Seals all events, compares the rows with the ledger, and returns what differs. */
  async function differing(): Promise<readonly string[]> {
    vi.setSystemTime(Date.now() + COMPARISON_INTERVAL)
    await runDurableObjectAlarm(object(who))
    return (await object(who).integrity()).rows
  }

  it('a refused deletion does not make the ledger forget the row', async () => {
    const stranger = await person(['creator'])
    const auditor = await person(['audit'], { projectId: who.projectId })
    const refs = [await secret(who), await container(who), await keyOrder(call, who)]
    for (const ref of refs) {
      expect((await call('DELETE', ref, { token: stranger.token })).status).toBeGreaterThanOrEqual(403)
      expect((await call('DELETE', ref, { token: auditor.token })).status).toBe(403)
    }
    expect((await eventsAbout(idOf(refs[0] ?? ''), 'secret')).map(({ action }) => action)).toEqual([
      'create',
      'delete',
      'delete',
    ])
    expect(await differing()).toEqual([])
    // A row that the ledger had forgotten would not be missed.
    await database
      .prepare('delete from secrets where id = ?')
      .bind(idOf(refs[0] ?? ''))
      .run()
    expect(await differing()).toEqual([`secret/${idOf(refs[0] ?? '')} gone`])
  })
})
