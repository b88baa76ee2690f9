/** What the keys are depended on for. A master key is taken out of the keyring on the word of this. */
import { count, sql } from 'drizzle-orm'
import type { KeyedStore } from '../scope.ts'
import { projectKeys } from '../schema/resources.ts'
import { ofSuperseded } from './project-key-versions.ts'
import { sealedTables } from './sealed-values.ts'

/** How far the values of superseded keys are counted. */
const MOST_COUNTED = 10_000

/** How many project keys depend on a master key; it can be removed from the keyring when there are none. */
export interface MasterKeyUse {
  readonly id: string
  readonly primary: boolean
  readonly projectKeys: number
}

/** What the versions of all project keys are depended on for. */
export interface ProjectKeyUse {
  /** Keys that seal new values: one for each project and store. */
  readonly current: number
  /** When the oldest of these was made; null: there is none. */
  readonly oldest: string | null
  /** Older versions that are kept for what they sealed. */
  readonly superseded: number
  /** How many values these have sealed; no more than `MOST_COUNTED` are counted. */
  readonly values: number
  /** There are more values than were counted. */
  readonly more: boolean
}

/** SQL: how many values the superseded keys have sealed, counted a little further than is told. */
const waiting = sql.join(
  sealedTables.map(
    (table) => sql`(select count(*) from (select 1 from ${ofSuperseded(table)}
      where old.superseded is not null limit ${sql.raw(String(MOST_COUNTED + 1))}))`,
  ),
  sql` + `,
)

const versionColumns = {
  current: sql<number>`(select count(*) from project_keys where superseded is null)`.as('current'),
  oldest: sql<string | null>`(select min(created) from project_keys where superseded is null)`.as('oldest'),
  superseded: sql<number>`(select count(*) from project_keys where superseded is not null)`.as('superseded'),
  waiting: sql<number>`${waiting}`.as('waiting'),
}

/**
 * What depends on each master key, those of the keyring in its order and any other that is still depended on, and on the
 * versions of project keys: all of one moment, in one round trip.
 */
export async function keyUse({
  db,
  keyring,
}: KeyedStore): Promise<{ readonly masterKeys: MasterKeyUse[]; readonly projectKeys: ProjectKeyUse }> {
  const [rows, [versions]] = await db.batch([
    db.select({ id: projectKeys.masterKeyId, projectKeys: count() }).from(projectKeys).groupBy(projectKeys.masterKeyId),
    db.select(versionColumns).from(sql`(select 1)`),
  ])
  const used = new Map(rows.map((row) => [row.id, row.projectKeys]))
  const ids = new Set([...keyring.keys.keys(), ...used.keys()])
  const { current = 0, oldest = null, superseded = 0, waiting: values = 0 } = versions ?? {}
  return {
    masterKeys: [...ids].map((id) => ({ id, primary: id === keyring.primary.id, projectKeys: used.get(id) ?? 0 })),
    projectKeys: { current, oldest, superseded, values: Math.min(values, MOST_COUNTED), more: values > MOST_COUNTED },
  }
}
