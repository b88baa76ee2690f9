/** Reports what depends on each key, so that an operator can tell when a master key may be removed from the keyring. */
import { count, sql } from 'drizzle-orm'
import { build, select, selectValues } from '../database/prepared.ts'
import { projectKeys } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'
import { ofSuperseded } from './project-key-versions.ts'
import { sealedTables } from './sealed-values.ts'

/** The limit up to which values under superseded keys are counted. */
const MOST_COUNTED = 10_000

/** How many project keys depend on a master key. It can be removed from the keyring when there are none. */
export interface MasterKeyUse {
  readonly id: string
  readonly primary: boolean
  readonly projectKeys: number
}

/** The versions of all project keys, and the values that depend on them. */
interface ProjectKeyUse {
  /** Keys that seal new values: one for each project and store. */
  readonly current: number
  /** When the oldest of these was created; null if there is none. */
  readonly oldest: string | null
  /** Older versions, which are kept to open the values that they have sealed. */
  readonly superseded: number
  /** Values under superseded versions, counted up to `MOST_COUNTED`. */
  readonly values: number
  /** Whether there are more values than were counted. */
  readonly more: boolean
}

/**
 * SQL: the number of values under superseded keys, counted to one more than the reported limit, to detect an excess.
 */
const resealable = sql.join(
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
  resealable: sql<number>`${resealable}`,
}

/**
 * Reports the use of master keys and of versions of project keys, as one snapshot in one round trip. The master keys
 * are those of the keyring, in its order, followed by any other that is still in use.
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
  const { current = 0, oldest = null, superseded = 0, resealable: values = 0 } = read.versions[0] ?? {}
  return {
    masterKeys: [...ids].map((id) => ({ id, primary: id === keyring.primary.id, projectKeys: used.get(id) ?? 0 })),
    projectKeys: { current, oldest, superseded, values: Math.min(values, MOST_COUNTED), more: values > MOST_COUNTED },
  }
}
