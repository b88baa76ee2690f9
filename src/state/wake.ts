/** Calls that have a project's object seal its audit log: soon after a change, and from the cron trigger. */
import { waitUntil } from 'cloudflare:workers'
import { isNull } from 'drizzle-orm'
import { boundedCache } from '../cache.ts'
import { formatTime } from '../times.ts'
import { build, select } from './database/prepared.ts'
import type { ProjectObjects } from './project-calls.ts'
import { auditEvents } from './schema/audit.ts'
import type { Scope } from './scope.ts'

/** Milliseconds from a change to the sealing of its event. */
export const SEAL_DELAY = 15_000

/** Milliseconds in which an isolate wakes an object once; events of that time are sealed with the first. */
const PAUSE = SEAL_DELAY / 2
/** Objects that one period of the cron trigger wakes; the next one takes the rest. */
const MOST_WOKEN = 500

/** When this isolate woke an object, by project: milliseconds. */
const woken = boundedCache<number>({ entries: 10_000 })

/** Has the project's object seal within {@link SEAL_DELAY}. Costs a call after the answer, at most one in {@link PAUSE}. */
export function wakeSoon(projects: ProjectObjects, projectId: string): void {
  const now = Date.now()
  const last = woken.get(projectId)
  if (last !== undefined && last <= now && now < last + PAUSE) return
  woken.set(projectId, now)
  const call = projects.getByName(projectId).sealBy(formatTime(now + SEAL_DELAY))
  // A call that fails is made again by the next change, and by the cron trigger.
  waitUntil(Promise.resolve(call).catch(() => woken.delete(projectId)))
}

/** Has the objects of all projects with unsealed events seal them. */
export async function wakeAll({ db, projects, now }: Scope & { readonly projects: ProjectObjects }): Promise<void> {
  const waiting = select({ projectId: auditEvents.projectId }, (columns) =>
    build.selectDistinct(columns).from(auditEvents).where(isNull(auditEvents.number)).limit(MOST_WOKEN),
  )
  const calls = (await db.run(waiting)).map(({ projectId }) => projects.getByName(projectId).sealBy(now))
  await Promise.allSettled(calls)
}
