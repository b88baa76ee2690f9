/** How the object of a project learns that there are events to seal: soon after a change, and else from the cron. */
import { waitUntil } from 'cloudflare:workers'
import { isNull } from 'drizzle-orm'
import { formatTime } from '../times.ts'
import type { ProjectObjects } from './project-calls.ts'
import { auditEvents } from './schema/audit.ts'
import type { Store } from './scope.ts'

/** Milliseconds from a change to the sealing of its event. */
export const SEAL_DELAY = 15_000

/** Milliseconds in which an isolate wakes an object once; what happens in them is sealed with what woke it. */
const PAUSE = SEAL_DELAY / 2
const MOST_REMEMBERED = 10_000
/** Objects that one period of the cron trigger wakes; the next one takes the rest. */
const MOST_WOKEN = 500

const woken = new Map<string, number>()

/** Has the project's object seal within {@link SEAL_DELAY}. Costs a call after the answer, and that seldom. */
export function wakeSoon(projects: ProjectObjects, projectId: string): void {
  const now = Date.now()
  const last = woken.get(projectId)
  if (last !== undefined && last <= now && now < last + PAUSE) return
  if (woken.size >= MOST_REMEMBERED) woken.clear()
  woken.set(projectId, now)
  const call = projects.getByName(projectId).sealBy(formatTime(now + SEAL_DELAY))
  // Of a call that fails there is nothing to tell: the next change calls again, and so does the cron.
  waitUntil(Promise.resolve(call).catch(() => woken.delete(projectId)))
}

/** Has the objects of all projects seal that have something to seal. */
export async function wakeAll({ db, projects, now }: Store & { readonly projects: ProjectObjects }): Promise<void> {
  const waiting = await db
    .selectDistinct({ projectId: auditEvents.projectId })
    .from(auditEvents)
    .where(isNull(auditEvents.number))
    .limit(MOST_WOKEN)
  await Promise.allSettled(waiting.map(({ projectId }) => projects.getByName(projectId).sealBy(now)))
}
