/** Creates backends. This is the only file that depends on all parts of the state. */
import type { Backend, StateSettings } from './backend.ts'
import { Session, type Consistency } from './database/session.ts'
import { admissionOf, admittedDeployment } from './deployment/admission.ts'
import { placedObjects, type ProjectNamespace } from './places.ts'
import type { Changed, Source } from './scope.ts'
import { evictSecret } from './secrets/secret-reads.ts'
import { wakeSoon } from './wake.ts'

/** Reports whether the target of a change is a secret or a part of one. */
const isOfSecret = ({ target }: Changed) => target === 'secret' || target.startsWith('secret/')

/** Creates the backend of one request or run, at `now`, for `source`. Its reads go to the primary. */
export function connect(
  bindings: { readonly DB: D1Database; readonly PROJECT: ProjectNamespace },
  settings: StateSettings,
  now: string,
  source: Source,
): Backend {
  const { keyring, quotas, secretStores, readOnly, readCacheSeconds, nameDefault, keepVersions } = settings
  const projects = placedObjects(bindings.PROJECT, settings.places)
  const recorded = (changes: readonly Changed[]) => {
    for (const change of changes) if (isOfSecret(change)) evictSecret(db, now, change.id)
    for (const projectId of new Set(changes.map((change) => change.projectId))) wakeSoon(projects, projectId)
  }
  // What decides about the admission must not wait for it.
  const asking = { keyring, quotas, projects, now, source, recorded, db: new Session(bindings.DB, 'first-primary') }
  const db = new Session(bindings.DB, 'first-primary', admissionOf(asking, settings.adoptDatabase))
  const deployment = () => admittedDeployment(asking)
  return { ...asking, secretStores, readOnly, readCacheSeconds, nameDefault, keepVersions, db, deployment }
}

/**
 * Admits this isolate to the database unless it is already; throws why not. A replica is asked first, and the primary
 * before a refusal.
 */
export async function requireAdmission({ db: { admission, binding } }: Backend): Promise<void> {
  if (admission?.isAdmitted) return
  try {
    await new Session(binding, 'first-unconstrained', admission).requireAdmission()
  } catch {
    await new Session(binding, 'first-primary', admission).requireAdmission()
  }
}

/** Returns the backend with another consistency, for reads. */
export const reaching = (backend: Backend, consistency: Consistency): Backend => ({
  ...backend,
  db: new Session(backend.db.binding, consistency, backend.db.admission),
})
