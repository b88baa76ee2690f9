/**
 * Destruction of projects: first their keys, which makes all that they seal unreadable at once, then the rows, in
 * bounded steps that can be cut off at any point and go on later.
 */
import { and, eq, gt, inArray, isNull, lte, not, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { fault } from '../../faults.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf, type AuditAction } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import type { Store } from '../scope.ts'
import { changes } from '../database/statements.ts'
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
import { AUTHORITY_OWNER, ROW_KEYS_OWNER } from '../keys/sealed-values.ts'

/** Rows of each table that one batch deletes. */
const ROWS_PER_STEP = 500
/** Projects and steps of one call or one period of the cron trigger; the next one takes the rest. */
const MOST_PROJECTS = 20
const MOST_STEPS = 40

/** Keys of the deployment itself: no project that could be destroyed. */
const deploymentOwners: ReadonlySet<string> = new Set([AUTHORITY_OWNER, ROW_KEYS_OWNER])

const destructionOf = (id: string, action: AuditAction) =>
  changeOf({ id, projectId: id }, action, 'project/destruction')

export type ProjectDestruction = typeof projectDestructions.$inferSelect

/** What goes with a project. Certificates that were issued stay in their list: they are good until they end. */
const tables = [secrets, containers, orders, secretConsumers, containerConsumers] as const

/** The destruction of this project; throws `destructionNotFound` when none is due or was done. */
export async function findDestruction({ db }: Backend, projectId: string): Promise<ProjectDestruction> {
  const row = await db.select().from(projectDestructions).where(eq(projectDestructions.projectId, projectId)).get()
  if (!row) throw fault('destructionNotFound')
  return row
}

/**
 * Has the project destroyed from `due` on; one that waits already is done then instead. A project that nothing is known
 * of is destroyed as well: it may have no key later. Throws `destructionBegun`, and `destructionNotFound` for the owner
 * of the certificate authorities, which is no project.
 */
export async function scheduleDestruction(backend: Backend, projectId: string, due: string): Promise<void> {
  if (deploymentOwners.has(projectId)) throw fault('destructionNotFound')
  const schedule = backend.db
    .insert(projectDestructions)
    .values({ projectId, due, finished: null })
    .onConflictDoUpdate({
      target: projectDestructions.projectId,
      set: { due },
      setWhere: gt(projectDestructions.due, backend.now),
    })
  const [result] = await commit(backend, destructionOf(projectId, 'create'), schedule)
  if (changes(result) === 0) throw fault('destructionBegun')
}

/** Takes a destruction back whose time has not come; throws `destructionBegun` or `destructionNotFound`. */
export async function cancelDestruction(backend: Backend, projectId: string): Promise<void> {
  const { db, now } = backend
  const ofProject = eq(projectDestructions.projectId, projectId)
  const [cancelled, found] = await commit(
    backend,
    destructionOf(projectId, 'delete'),
    db.delete(projectDestructions).where(and(ofProject, gt(projectDestructions.due, now))),
    db.select().from(projectDestructions).where(ofProject),
  )
  if (changes(cancelled) === 0) throw fault(found.length > 0 ? 'destructionBegun' : 'destructionNotFound')
}

/** Whether the project's time has come, so that what it had is not there for anybody. */
export async function isDestroyed({ db, now }: Store, projectId: string): Promise<boolean> {
  const begun = and(eq(projectDestructions.projectId, projectId), lte(projectDestructions.due, now))
  return (await db.select().from(projectDestructions).where(begun)).length > 0
}

/** Deletes the keys and some of the rows; gives whether nothing is left. */
async function destroySome(backend: Backend, projectId: string): Promise<boolean> {
  const { db, now } = backend
  const some = tables.map((table) => {
    const seqs = db.select({ seq: table.seq }).from(table).where(eq(table.projectId, projectId)).limit(ROWS_PER_STEP)
    return db.delete(table).where(inArray(table.seq as SQLiteColumn, seqs))
  })
  const has = (table: SQLiteTable) => sql`exists (select 1 from ${table} where project_id = ${projectId})`
  const hasRows = sql`(${sql.join(tables.map(has), sql` or `)})`
  // A project may have rows without ever having had a key: their end is told, too.
  const results: readonly unknown[] = await commitWhere(
    backend,
    [changeOf({ id: projectId, projectId }, 'delete', 'key')],
    sql`${has(projectKeys)} or ${hasRows}`,
    db.delete(projectKeys).where(eq(projectKeys.projectId, projectId)),
    db.delete(preferredStores).where(eq(preferredStores.projectId, projectId)),
    db.delete(projectQuotas).where(eq(projectQuotas.projectId, projectId)),
    ...some,
    db
      .update(projectDestructions)
      .set({ finished: now })
      .where(and(eq(projectDestructions.projectId, projectId), not(hasRows))),
  )
  return changes(results.at(-1)) > 0
}

/** Goes on with the destructions whose time has come, a bounded number of steps. Gives how many ended. */
export async function destroyDue(backend: Backend): Promise<number> {
  const { db, now } = backend
  const due = await db
    .select({ projectId: projectDestructions.projectId })
    .from(projectDestructions)
    .where(and(isNull(projectDestructions.finished), lte(projectDestructions.due, now)))
    .limit(MOST_PROJECTS)
  let ended = 0
  let steps = MOST_STEPS
  for (const { projectId } of due) {
    for (let done = false; !done && steps > 0; steps -= 1) {
      done = await destroySome(backend, projectId)
      if (done) ended += 1
    }
  }
  return ended
}
