/** The number of rows of each kind in a project, without counting them: triggers maintain `project_counts`. */
import { sql, type Placeholder, type SQL } from 'drizzle-orm'
import { projectCounts } from '../schema/resources.ts'

export type CountedKind = Exclude<keyof typeof projectCounts.$inferSelect, 'projectId'>

/** SQL: the number of rows of a kind in the project at `now`. Expired secrets are not counted. */
export function countOf(kind: CountedKind, projectId: string | Placeholder, now: string | Placeholder): SQL<number> {
  const column = sql.raw(projectCounts[kind].name)
  const kept = sql<number>`coalesce((select ${column} from project_counts where project_id = ${projectId}), 0)`
  if (kind !== 'secrets') return kept
  return sql<number>`(${kept} - (select count(*) from secrets where project_id = ${projectId} and expiration <= ${now}))`
}
