/** Creates backends. This is the only file that depends on all parts of the state. */
import { CLOCK_MARGIN_SECONDS } from './age.ts'
import type { AcceptedAge, Backend, StateSettings } from './backend.ts'
import type { Terms } from './database/questions.ts'
import { consistencyOf, Session, type Consistency } from './database/session.ts'
import { admissionOf, admittedDeployment } from './deployment/admission.ts'
import { freshnessOf } from './deployment/heartbeats.ts'
import { placedObjects, type ProjectNamespace } from './places.ts'
import type { Changed, Source } from './scope.ts'
import { forgetSecret } from './secrets/last-seen.ts'
import { evictSecret } from './secrets/memory.ts'
import { wakeSoon } from './wake.ts'

/** Reports whether the target of a change is a secret or a part of one. */
const isOfSecret = ({ target }: Changed) => target === 'secret' || target.startsWith('secret/')

/** What follows a change in this session: later reads of this isolate see it, and the object of the project seals it. */
function recordedBy(db: Session, { keyring, projects }: Pick<Backend, 'keyring' | 'projects'>): Backend['recorded'] {
  return (changes: readonly Changed[]) => {
    for (const change of changes) if (isOfSecret(change)) evictSecret(db, change)
    for (const { id } of changes) forgetSecret({ keyring }, id)
    for (const projectId of new Set(changes.map((change) => change.projectId))) wakeSoon(projects, projectId)
  }
}

const inSession = (backend: Backend, db: Session): Backend => ({ ...backend, db, recorded: recordedBy(db, backend) })

/**
 * Creates the backend of one request or run, at `now`, for `source`. Its reads go to the primary; {@link reaching} makes one
 * that reads from replicas whose state is no older than `accepts` says.
 */
export function connect(
  bindings: { readonly DB: D1Database; readonly PROJECT: ProjectNamespace },
  settings: StateSettings,
  now: string,
  source: Source,
  accepts: AcceptedAge = { most: settings.stalenessSeconds, memory: 0 },
): Backend {
  const { keyring, quotas, secretStores, readOnly, nameDefault, keepVersions, stalenessSeconds } = settings
  const projects = placedObjects(bindings.PROJECT, settings.places)
  // What decides about the questions must not wait for their answers.
  const own = new Session(bindings.DB, 'first-primary')
  const asking = {
    keyring,
    quotas,
    projects,
    readOnly,
    now,
    source,
    recorded: recordedBy(own, { keyring, projects }),
    db: own,
  }
  const admission = admissionOf(asking, settings.adoptDatabase)
  const terms: Terms = { admission, freshness: freshnessOf(asking, stalenessSeconds, accepts.most), questions: [] }
  const db = new Session(bindings.DB, 'first-primary', terms)
  const deployment = () => admittedDeployment(asking)
  const stillAllowed = () => Promise.resolve()
  const set = { secretStores, nameDefault, keepVersions, stalenessSeconds, accepts }
  return inSession({ ...asking, ...set, deployment, stillAllowed }, db)
}

/**
 * Admits this isolate to the database unless it is already; throws why not. A replica is asked first, and the primary
 * before a refusal.
 */
export async function requireAdmission(backend: Backend): Promise<void> {
  if (backend.db.terms?.admission.state !== 'open') return
  try {
    await undated(backend, 'first-unconstrained').db.requireAnswers()
  } catch {
    await undated(backend, 'first-primary').db.requireAnswers()
  }
}

/** Returns the backend with another consistency, for reads that do not depend on the age of a replica or on a caller. */
export function undated(backend: Backend, consistency: Consistency): Backend {
  const { binding, terms } = backend.db
  return inSession(backend, new Session(binding, consistency, terms && { ...terms, freshness: null, questions: [] }))
}

/** Returns the backend with another consistency, for reads. */
export const reaching = (backend: Backend, consistency: Consistency): Backend =>
  inSession(backend, new Session(backend.db.binding, consistency, backend.db.terms))

/** The consistency of a read with this bookmark or none: the primary, if no replica can be as recent as it asks. */
export function consistencyFor({ accepts: { most, memory } }: Backend, bookmark: string | undefined): Consistency {
  const isForPrimary = most === 0 || (bookmark === undefined && most <= CLOCK_MARGIN_SECONDS && memory === 0)
  return isForPrimary ? 'first-primary' : consistencyOf(bookmark)
}
