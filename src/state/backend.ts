import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1'
import type { Keyring } from '../crypto/keyring.ts'
import type { ProjectObject } from './project-object.ts'

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

/** The one thing that operations receive beside their input. */
export interface Backend extends Store {
  readonly keyring: Keyring
  /** The objects that serialise the mutations of a project, one per project id. */
  readonly projects: DurableObjectNamespace<ProjectObject>
  /** Whether projects choose between two secret stores. */
  readonly secretStores: 'single' | 'multiple'
}

/** What the Worker's configuration says about its state. */
export interface StateSettings {
  readonly keyring: Keyring
  readonly quotas: QuotaLimits
  readonly secretStores: 'single' | 'multiple'
}

/** The backend of one request or run, at `now`. */
export function backendOf(
  bindings: { readonly DB: D1Database; readonly PROJECT: DurableObjectNamespace<ProjectObject> },
  { keyring, quotas, secretStores }: StateSettings,
  now: string,
): Backend {
  return { db: database(bindings.DB), projects: bindings.PROJECT, keyring, quotas, secretStores, now }
}

/** The metadata database behind its binding. */
export function database(binding: D1Database): DrizzleD1Database {
  return drizzle(binding)
}
