/** How much a project has, without counting it: the database keeps the counts, see `projectCounts` in the schema. */
import { sql, type SQL } from 'drizzle-orm'
import { projectCounts, secrets } from './schema.ts'

export type CountedKind = Exclude<keyof typeof projectCounts.$inferSelect, 'projectId'>

/** How many of a kind the project has at `now`, as an expression. A secret that has expired does not count. */
export function countOf(kind: CountedKind, projectId: string, now: string): SQL<number> {
  const kept = sql<number>`coalesce(
    (select ${projectCounts[kind]} from ${projectCounts} where ${projectCounts.projectId} = ${projectId}), 0)`
  if (kind !== 'secrets') return kept
  const expired = sql`select count(*) from ${secrets}
    where ${secrets.projectId} = ${projectId} and ${secrets.expiration} <= ${now}`
  return sql<number>`(${kept} - (${expired}))`
}
