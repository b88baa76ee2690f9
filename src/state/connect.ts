/** How a backend is made: the one place that knows all parts of the state. */
import type { Backend, StateSettings } from './backend.ts'
import type { Reach } from './database/calls.ts'
import { Session } from './database/session.ts'
import type { ProjectObjects } from './project-calls.ts'
import type { Source, Store } from './scope.ts'
import { wakeSoon } from './wake.ts'

/** The backend of one request or run, at `now`, for `source`. The primary answers its look-ups. */
export function connect(
  bindings: { readonly DB: D1Database; readonly PROJECT: ProjectObjects },
  { keyring, quotas, secretStores, readCacheSeconds, nameDefault }: StateSettings,
  now: string,
  source: Source,
): Backend {
  const projects = bindings.PROJECT
  const recorded = (projectId: string) => wakeSoon(projects, projectId)
  const session = new Session(bindings.DB, 'first-primary')
  const settings = { keyring, quotas, secretStores, readCacheSeconds, nameDefault }
  return { ...settings, session, db: session.db, projects, now, source, recorded }
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
