import type { Keyring } from '../crypto/keyring.ts'
import { wakeSoon } from './audit/wake.ts'
import type { Reach } from './database/calls.ts'
import { Session } from './database/session.ts'
import type { Source, Store } from './database/store.ts'
import { limitsKnown } from './known-limits.ts'
import type { ProjectObject } from './project-object.ts'

/** The one thing that operations receive beside their input. */
export interface Backend extends Store {
  /** What `db` is used in. */
  readonly session: Session
  readonly keyring: Keyring
  /** The objects that serialise the mutations of a project, one per project id. */
  readonly projects: DurableObjectNamespace<ProjectObject>
  /** Whether projects choose between two secret stores. */
  readonly secretStores: 'single' | 'multiple'
  /** How old the metadata of a secret may be that somebody reads; 0: it is looked up each time. */
  readonly readCacheSeconds: number
  /** The name of secrets that are made without one. */
  readonly nameDefault: 'none' | 'id'
}

/** What the Worker's configuration says about its state. */
export type StateSettings = Pick<Backend, 'keyring' | 'quotas' | 'secretStores' | 'readCacheSeconds' | 'nameDefault'>

/** The backend of one request or run, at `now`, for `source`. The primary answers its look-ups. */
export function backendOf(
  bindings: { readonly DB: D1Database; readonly PROJECT: DurableObjectNamespace<ProjectObject> },
  { keyring, quotas, secretStores, readCacheSeconds, nameDefault }: StateSettings,
  now: string,
  source: Source,
): Backend {
  const projects = bindings.PROJECT
  const recorded = (projectId: string) => wakeSoon(projects, projectId)
  const session = new Session(bindings.DB, 'first-primary')
  const settings = { keyring, quotas, secretStores, readCacheSeconds, nameDefault }
  const limitsMac = (projectId: string) => limitsKnown(keyring, projectId)
  return { ...settings, session, db: session.db, projects, now, source, recorded, limitsMac }
}

/** The same backend with a session of its own, whose look-ups reach as far as that. */
export function reaching(backend: Backend, reach: Reach): Backend {
  const session = new Session(backend.session.binding, reach)
  return { ...backend, session, db: session.db }
}

/** The store of the backend, whose batches may go together with those of other requests in the project. */
export const together = (backend: Backend, projectId: string): Store => ({
  ...backend,
  db: backend.session.together(projectId),
})
