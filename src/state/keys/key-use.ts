/** What the keys are depended on for. A master key is taken out of the keyring on the word of this. */
import { count, sql } from 'drizzle-orm'
import { build, select, selectValues } from '../database/prepared.ts'
import { projectKeys } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'
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

/** SQL: how many values the superseded keys have sealed, counted one further than is reported. */
const waiting = sql.join(
  sealedTables.map(
    (table) => sql`(select count(*) from (select 1 from ${ofSuperseded(table)}
      where old.superseded is not null limit ${sql.raw(String(MOST_COUNTED + 1))}))`,
  ),
  sql` + `,
)

const versions = {
  current: sql<number>`(select count(*) from project_keys where superseded is null)`,
  oldest: sql<string | null>`(select min(created) from project_keys where superseded is null)`,
  superseded: sql<number>`(select count(*) from project_keys where superseded is not null)`,
  waiting: sql<number>`${waiting}`,
}

/**
 * What depends on each master key, those of the keyring in its order and any other that is still depended on, and on the
 * versions of project keys: all of one moment, in one round trip.
 */
export async function keyUse({
  db,
  keyring,
}: KeyedScope): Promise<{ readonly masterKeys: MasterKeyUse[]; readonly projectKeys: ProjectKeyUse }> {
  const read = await db.batch({
    masterKeys: select({ id: projectKeys.masterKeyId, projectKeys: count() }, (columns) =>
      build.select(columns).from(projectKeys).groupBy(projectKeys.masterKeyId),
    ),
    versions: selectValues(versions),
  })
  const used = new Map(read.masterKeys.map((row) => [row.id, row.projectKeys]))
  const ids = new Set([...keyring.keys.keys(), ...used.keys()])
  const { current = 0, oldest = null, superseded = 0, waiting: values = 0 } = read.versions[0] ?? {}
  return {
    masterKeys: [...ids].map((id) => ({ id, primary: id === keyring.primary.id, projectKeys: used.get(id) ?? 0 })),
    projectKeys: { current, oldest, superseded, values: Math.min(values, MOST_COUNTED), more: values > MOST_COUNTED },
  }
}
