import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1'

/** How many of each a project may have; negative: no limit. */
export interface QuotaLimits {
  readonly secrets: number
  readonly orders: number
  readonly containers: number
  readonly consumers: number
}

/** The database, the limits and the time: what a statement depends on. */
export interface Store {
  readonly db: DrizzleD1Database
  /** The configured limits, for projects without limits of their own. */
  readonly quotas: QuotaLimits
  /** The time of the request: UTC text of 26 characters. One reading serves the whole operation. */
  readonly now: string
}

/** The metadata database behind its binding. */
export function database(binding: D1Database): DrizzleD1Database {
  return drizzle(binding)
}
