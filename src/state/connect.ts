/** Creates backends. This is the only file that depends on all parts of the state. */
import type { Backend, StateSettings } from './backend.ts'
import { Session, type Consistency } from './database/session.ts'
import { placedObjects, type ProjectNamespace } from './places.ts'
import type { Changed, Source } from './scope.ts'
import { evictSecret } from './secrets/secret-reads.ts'
import { wakeSoon } from './wake.ts'

/** Reports whether the target of a change is a secret or a part of one. */
const isOfSecret = ({ target }: Changed) => target === 'secret' || target.startsWith('secret/')

/** Creates the backend of one request or run, at `now`, for `source`. Its reads go to the primary. */
export function connect(
  bindings: { readonly DB: D1Database; readonly PROJECT: ProjectNamespace },
  { keyring, quotas, secretStores, readCacheSeconds, nameDefault, places }: StateSettings,
  now: string,
  source: Source,
): Backend {
  const projects = placedObjects(bindings.PROJECT, places)
  const db = new Session(bindings.DB, 'first-primary')
  const recorded = (changes: readonly Changed[]) => {
    for (const change of changes) if (isOfSecret(change)) evictSecret(db, now, change.id)
    for (const projectId of new Set(changes.map((change) => change.projectId))) wakeSoon(projects, projectId)
  }
  return { keyring, quotas, secretStores, readCacheSeconds, nameDefault, db, projects, now, source, recorded }
}

/** Returns the backend with another consistency, for reads. */
export const reaching = (backend: Backend, consistency: Consistency): Backend => ({
  ...backend,
  db: new Session(backend.db.binding, consistency),
})
