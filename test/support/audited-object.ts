/** The Durable Object of a project, whose alarms a test runs and counts, and whose log it reads. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Environment } from '../../src/config.ts'
import { database } from './client.ts'
import { countingDatabase } from './counting.ts'

const bindings = env as unknown as Environment

export const objectOf = (projectId: string) => bindings.PROJECT.getByName(projectId)

/** Runs the alarm of the object now. Returns the number of statements that it sent, or null if it has no alarm. */
export async function alarmOf(projectId: string): Promise<number | null> {
  const stub = objectOf(projectId)
  const counting = countingDatabase()
  const use = (DB: D1Database) =>
    runInDurableObject(stub, (instance) => void Object.assign(instance, { env: { ...bindings, DB } }))
  await use(counting.binding)
  try {
    return (await runDurableObjectAlarm(stub)) ? counting.statements.length : null
  } finally {
    await use(bindings.DB)
  }
}

/** When the object wakes next, in milliseconds; null: never. */
export const alarmTimeOf = (projectId: string): Promise<number | null> =>
  runInDurableObject(objectOf(projectId), (_, { storage }) => storage.getAlarm())

/** Removes all that the object stores, as if the Worker had another name, and wakes it. */
export async function renew(projectId: string): Promise<void> {
  await runInDurableObject(objectOf(projectId), async (_, { storage }) => {
    await storage.deleteAll()
    await storage.setAlarm(Date.now())
  })
}

export interface LoggedEvent {
  readonly action: string
  readonly operation: string
  readonly initiator_id: string | null
  readonly target_type: string
  readonly target_id: string
  readonly number: number | null
}

/** The events of a project's log from the first to the last, with those that are not sealed yet. */
export async function eventsOf(projectId: string): Promise<readonly LoggedEvent[]> {
  const select = database.prepare('select * from audit_events where project_id = ? order by seq')
  return (await select.bind(projectId).all<LoggedEvent>()).results
}

/** The incidents and reconciliations of the log. */
export const incidentsOf = async (projectId: string): Promise<readonly LoggedEvent[]> =>
  (await eventsOf(projectId)).filter(
    ({ action, target_type: type }) => action === 'monitor' || type.endsWith('audit-log'),
  )
