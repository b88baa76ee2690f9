/**
 * Destruction of projects. The keys are deleted first, which makes everything that they seal unreadable at once, then
 * the rows, in bounded steps that can be interrupted at any point and continued later.
 */
import { and, eq, getTableColumns, gt, inArray, isNull, lte, not, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { fault } from '../../faults.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf, type AuditAction } from '../audit/events.ts'
import { build, change, select, type Statement } from '../database/prepared.ts'
import { AUTHORITY_OWNER, ROW_KEYS_OWNER } from '../keys/sealed-values.ts'
import {
  containerConsumers,
  containers,
  orders,
  preferredStores,
  projectDestructions,
  projectKeys,
  projectQuotas,
  secretConsumers,
  secrets,
} from '../schema/resources.ts'
import type { Scope } from '../scope.ts'

/** Rows of each table that one batch deletes. */
const ROWS_PER_STEP = 500
/** Projects and steps of one call or one period of the cron trigger; the next one continues. */
const MOST_PROJECTS = 20
const MOST_STEPS = 40

/** Owners of the deployment's own keys, which are not projects and cannot be destroyed. */
const deploymentOwners: ReadonlySet<string> = new Set([AUTHORITY_OWNER, ROW_KEYS_OWNER])

const destructionOf = (id: string, action: AuditAction) =>
  changeOf({ id, projectId: id }, action, 'project/destruction')

export type ProjectDestruction = typeof projectDestructions.$inferSelect

/** The tables whose rows are deleted. Issued certificates are kept, because they remain valid until they expire. */
const tables = [secrets, containers, orders, secretConsumers, containerConsumers] as const

const ofProject = (projectId: string) => eq(projectDestructions.projectId, projectId)

/** Reads the destruction of this project, if there is one. */
const selectDestruction = (projectId: string): Statement<ProjectDestruction[]> =>
  select(getTableColumns(projectDestructions), (columns) =>
    build.select(columns).from(projectDestructions).where(ofProject(projectId)),
  )

/** Finds the project's destruction, scheduled or finished; throws `destructionNotFound`. */
export async function findDestruction({ db }: Scope, projectId: string): Promise<ProjectDestruction> {
  const [row] = await db.run(selectDestruction(projectId))
  if (!row) throw fault('destructionNotFound')
  return row
}

/**
 * Schedules the destruction of a project for `due`, or reschedules it. A project without rows can be destroyed too: it
 * never gets a key. Throws `destructionBegun`, and `destructionNotFound` for the owners of the deployment's keys, which
 * are not projects.
 */
export async function scheduleDestruction(scope: Scope, projectId: string, due: string): Promise<void> {
  if (deploymentOwners.has(projectId)) throw fault('destructionNotFound')
  const schedule = build
    .insert(projectDestructions)
    .values({ projectId, due, finished: null })
    .onConflictDoUpdate({
      target: projectDestructions.projectId,
      set: { due },
      setWhere: gt(projectDestructions.due, scope.now),
    })
  const { changed } = await commit(scope, destructionOf(projectId, 'create'), change(schedule))
  if (changed === 0) throw fault('destructionBegun')
}

/** Cancels a destruction that is not due yet; throws `destructionBegun` or `destructionNotFound`. */
export async function cancelDestruction(scope: Scope, projectId: string): Promise<void> {
  const isWaiting = and(ofProject(projectId), gt(projectDestructions.due, scope.now))
  const { changed, found } = await commit(
    scope,
    destructionOf(projectId, 'delete'),
    change(build.delete(projectDestructions).where(isWaiting)),
    { found: selectDestruction(projectId) },
  )
  if (changed === 0) throw fault(found.length > 0 ? 'destructionBegun' : 'destructionNotFound')
}

/** Reports whether the destruction of the project has begun. From then on its entities are not returned. */
export async function isDestroyed({ db, now }: Scope, projectId: string): Promise<boolean> {
  const [row] = await db.run(selectDestruction(projectId))
  return row !== undefined && row.due <= now
}

/** Deletes the keys and some of the rows; reports whether nothing is left. */
async function destroySome(scope: Scope, projectId: string): Promise<boolean> {
  const some = tables.map((table) => {
    const seqs = build.select({ seq: table.seq }).from(table).where(eq(table.projectId, projectId)).limit(ROWS_PER_STEP)
    return change(build.delete(table).where(inArray(table.seq as SQLiteColumn, seqs)))
  })
  const has = (table: SQLiteTable) => sql`exists (select 1 from ${table} where project_id = ${projectId})`
  const hasRows = sql`(${sql.join(tables.map(has), sql` or `)})`
  // A project may have rows without ever having had a key; their deletion is recorded as well.
  const { finished } = await commitWhere(
    scope,
    [changeOf({ id: projectId, projectId }, 'delete', 'key')],
    sql`${has(projectKeys)} or ${hasRows}`,
    {
      keys: change(build.delete(projectKeys).where(eq(projectKeys.projectId, projectId))),
      preference: change(build.delete(preferredStores).where(eq(preferredStores.projectId, projectId))),
      limits: change(build.delete(projectQuotas).where(eq(projectQuotas.projectId, projectId))),
      rows: some,
      finished: change(
        build
          .update(projectDestructions)
          .set({ finished: scope.now })
          .where(and(ofProject(projectId), not(hasRows))),
      ),
    },
  )
  return finished > 0
}

/** Continues the destructions that are due, for a bounded number of steps. Returns how many finished. */
export async function destroyDue(scope: Scope): Promise<number> {
  const isDue = and(isNull(projectDestructions.finished), lte(projectDestructions.due, scope.now))
  const due = await scope.db.run(
    select({ projectId: projectDestructions.projectId }, (columns) =>
      build.select(columns).from(projectDestructions).where(isDue).limit(MOST_PROJECTS),
    ),
  )
  let ended = 0
  let steps = MOST_STEPS
  for (const { projectId } of due) {
    for (let done = false; !done && steps > 0; steps -= 1) {
      done = await destroySome(scope, projectId)
      if (done) ended += 1
    }
  }
  return ended
}
