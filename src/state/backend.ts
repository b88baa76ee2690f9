import type { Keyring } from '../crypto/keyring.ts'
import { wakeSoon } from './audit-wake.ts'
import type { ProjectObject } from './project-object.ts'
import { database, type QuotaLimits, type Source, type Store } from './store.ts'

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

/** The backend of one request or run, at `now`, for `source`. */
export function backendOf(
  bindings: { readonly DB: D1Database; readonly PROJECT: DurableObjectNamespace<ProjectObject> },
  { keyring, quotas, secretStores }: StateSettings,
  now: string,
  source: Source,
): Backend {
  const projects = bindings.PROJECT
  const recorded = (projectId: string) => wakeSoon(projects, projectId)
  return { db: database(bindings.DB), projects, keyring, quotas, secretStores, now, source, recorded }
}
