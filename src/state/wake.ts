/** Wakes the objects of projects to seal audit events: soon after a change, and from the cron trigger. */
import { waitUntil } from 'cloudflare:workers'
import { isNull, sql } from 'drizzle-orm'
import { boundedCache } from '../cache.ts'
import { formatTime } from '../times.ts'
import { build, select } from './database/prepared.ts'
import type { ProjectObjects } from './project-calls.ts'
import { auditEvents } from './schema/audit.ts'
import type { Scope } from './scope.ts'

/** Milliseconds from a change to the sealing of its event. */
export const SEAL_DELAY = 15_000

/** Milliseconds in which an isolate wakes an object at most once. Events of this time are sealed with the first. */
const PAUSE = SEAL_DELAY / 2
/** Objects that one period of the cron trigger wakes; the next ones wake the rest. */
const MOST_WOKEN = 150

/** When this isolate last woke the object of a project, in milliseconds. */
const woken = boundedCache<number>({ entries: 10_000 })

/**
 * Makes the project's object seal its events within {@link SEAL_DELAY}. It costs at most one call per {@link PAUSE},
 * after the response.
 */
export function wakeSoon(projects: ProjectObjects, projectId: string): void {
  const now = Date.now()
  const last = woken.get(projectId)
  if (last !== undefined && last <= now && now < last + PAUSE) return
  woken.set(projectId, now)
  const call = projects.getByName(projectId).sealBy(formatTime(now + SEAL_DELAY))
  // A failed call is repeated by the next change or by the cron trigger.
  waitUntil(Promise.resolve(call).catch(() => woken.delete(projectId)))
}

/**
 * Makes the objects of projects with unsealed events seal them. Of more projects than one period wakes, it chooses at
 * random, so that some whose objects fail do not keep the others waiting.
 */
export async function wakeAll({ db, projects, now }: Scope & { readonly projects: ProjectObjects }): Promise<void> {
  const waiting = select({ projectId: auditEvents.projectId }, (columns) =>
    build
      .selectDistinct(columns)
      .from(auditEvents)
      .where(isNull(auditEvents.number))
      .orderBy(sql`random()`)
      .limit(MOST_WOKEN),
  )
  const calls = (await db.run(waiting)).map(({ projectId }) => projects.getByName(projectId).sealBy(now))
  await Promise.allSettled(calls)
}
