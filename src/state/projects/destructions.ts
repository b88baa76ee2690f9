/**
 * Destruction of projects. The keys are deleted first, which makes everything that they seal unreadable at once, then
 * the rows, in bounded steps that can be interrupted at any point and continued later.
 */
import { and, eq, getTableColumns, gt, inArray, isNull, lte, not, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { fault } from '../../faults.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf, TARGET_BRANCH, type AuditAction } from '../audit/events.ts'
import { build, change, select, type Statement } from '../database/prepared.ts'
import { ROW_KEYS_OWNER } from '../keys/sealed-values.ts'
import {
  certificateAuthorities,
  containerConsumers,
  containers,
  issuedCertificates,
  orders,
  preferredStores,
  projectDestructions,
  projectKeys,
  projectQuotas,
  secretConsumers,
  secrets,
} from '../schema/resources.ts'
import { secretVersions } from '../schema/secret-versions.ts'
import type { Scope } from '../scope.ts'

/** Rows of each table that one batch deletes. */
const ROWS_PER_STEP = 500
/** Projects and steps of one call or one period of the cron trigger; the next one continues. */
const MOST_PROJECTS = 20
const MOST_STEPS = 20

const destructionOf = (id: string, action: AuditAction) =>
  changeOf({ id, projectId: id }, action, 'project/destruction')

export type ProjectDestruction = typeof projectDestructions.$inferSelect

/**
 * What goes with a project, in steps, beside its certificates. Secrets come after their versions, which a deletion of a
 * secret would take along, however many there are.
 */
const tables = [secretVersions, secrets, containers, orders, secretConsumers, containerConsumers] as const

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
 * Has the project destroyed from `due` on; a destruction that waits takes place then instead. A project of which nothing
 * is stored is destroyed as well: it can have no key later. Throws `destructionBegun`, and `destructionNotFound` for the
 * owner of the deployment's key, which is no project.
 */
export async function scheduleDestruction(scope: Scope, projectId: string, due: string): Promise<void> {
  if (projectId === ROW_KEYS_OWNER) throw fault('destructionNotFound')
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

/** Some of the certificates that the project has issued. */
async function someCertificates({ db }: Scope, projectId: string) {
  const { serial, expiration, revoked } = issuedCertificates
  return db.run(
    select({ serial, expiration, revoked }, (columns) =>
      build
        .select(columns)
        .from(issuedCertificates)
        .where(eq(issuedCertificates.projectId, projectId))
        .limit(ROWS_PER_STEP),
    ),
  )
}

/**
 * Deletes the keys and some of the rows; returns whether nothing is left. The project's authorities go with the keys,
 * without which they sign no list any more: that good certificates end with them is in the audit log alone.
 */
async function destroySome(scope: Scope, projectId: string): Promise<boolean> {
  const issued = await someCertificates(scope, projectId)
  const good = issued.filter(({ expiration, revoked }) => revoked === null && expiration > scope.now)
  const serials = JSON.stringify(issued.map(({ serial }) => serial))
  const has = (table: SQLiteTable) => sql`exists (select 1 from ${table} where project_id = ${projectId})`
  const some = tables.map((table) => {
    const isNext = table === secrets ? not(has(secretVersions)) : undefined
    const ofTable = and(eq(table.projectId, projectId), isNext)
    const seqs = build.select({ seq: table.seq }).from(table).where(ofTable).limit(ROWS_PER_STEP)
    return change(build.delete(table).where(inArray(table.seq as SQLiteColumn, seqs)))
  })
  const hasRows = sql`(${sql.join([...tables, issuedCertificates].map(has), sql` or `)})`
  const isKey = sql`value ->> 'targetType' = ${`${TARGET_BRANCH}key`}`
  const isIssued = sql`exists (select 1 from ${issuedCertificates} where serial = value ->> 'targetId')`
  // A project may have rows without ever having had a key: their end is recorded as well.
  const { finished } = await commitWhere(
    scope,
    [
      changeOf({ id: projectId, projectId }, 'delete', 'key'),
      ...good.map(({ serial }) => changeOf({ id: serial, projectId }, 'revoke', 'certificate')),
    ],
    sql`case when ${isKey} then ${has(projectKeys)} or ${hasRows} else ${isIssued} end`,
    {
      keys: change(build.delete(projectKeys).where(eq(projectKeys.projectId, projectId))),
      preference: change(build.delete(preferredStores).where(eq(preferredStores.projectId, projectId))),
      limits: change(build.delete(projectQuotas).where(eq(projectQuotas.projectId, projectId))),
      rows: some,
      authorities: change(build.delete(certificateAuthorities).where(eq(certificateAuthorities.projectId, projectId))),
      certificates: change(
        build
          .delete(issuedCertificates)
          .where(
            and(eq(issuedCertificates.projectId, projectId), sql`serial in (select value from json_each(${serials}))`),
          ),
      ),
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
