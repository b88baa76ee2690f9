/** The state of the service for `/healthcheck?detailed`, in words that say nothing about what is stored. */
import { sql } from 'drizzle-orm'
import { cacheOf } from '../../cache.ts'
import { Fault, fault } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import type { Backend } from '../backend.ts'
import { selectValues } from '../database/prepared.ts'
import { missingMasterKey } from '../keys/rotation.ts'

/** `unknown` where an earlier member, or the database, refuses to tell. */
export interface Health {
  /** Whether the database has the schema of this release; `ahead`: of a later one that this one cannot serve. */
  readonly schema: 'current' | 'behind' | 'ahead' | 'unknown'
  /** Whether MASTER_KEYS has all keys in use; `foreign`: those of another deployment. */
  readonly keys: 'complete' | 'incomplete' | 'foreign' | 'unknown'
  /** Whether the database is that of this Worker's Durable Objects. */
  readonly deployment: 'own' | 'foreign' | 'unknown'
  /** Whether a replica answered a read that any may answer. */
  readonly replicas: 'answering' | 'not answering' | 'unknown'
  /** Why requests are refused; null if they are served. */
  readonly reason: string | null
}

/** The health when nothing is known but the reason. */
export const unknownHealth = (reason: string): Health => ({
  schema: 'unknown',
  keys: 'unknown',
  deployment: 'unknown',
  replicas: 'unknown',
  reason,
})

/** What a refusal says about the rest. */
const refusals: Readonly<Record<string, Partial<Health>>> = {
  schemaBehind: { schema: 'behind' },
  schemaAhead: { schema: 'ahead' },
  keysForeign: { schema: 'current', keys: 'foreign' },
  masterKeyMissing: { schema: 'current', keys: 'incomplete' },
  objectsForeign: { schema: 'current', keys: 'complete', deployment: 'foreign' },
}

/** What is examined: a backend, one whose reads any replica may answer, and the admission of this isolate. */
interface Examined {
  readonly backend: Backend
  readonly near: Backend
  readonly admit: () => Promise<void>
}

async function examine({ backend, near, admit }: Examined): Promise<Health> {
  try {
    await admit()
    const missing = await missingMasterKey(backend)
    if (missing !== null) throw fault('masterKeyMissing', missing)
    await near.db.run(selectValues({ one: sql`1` }))
    const replicas = near.db.observed.lagging ? 'answering' : 'not answering'
    return { schema: 'current', keys: 'complete', deployment: 'own', replicas, reason: null }
  } catch (error) {
    if (error instanceof Fault) return { ...unknownHealth(error.describe('') ?? ''), ...refusals[error.failure] }
    logProblem({ event: 'health not examined', ...factsOf(error) })
    return unknownHealth('The database does not answer.')
  }
}

/** In seconds, the greatest age of a report. Requests without a token cost an isolate no more than one report in it. */
const SECONDS = 2
const reports = cacheOf<Health>({ entries: 1, seconds: SECONDS })

/** The health of the service, at most some seconds old. */
export async function healthOf(examined: Examined): Promise<Health> {
  const cache = reports(examined.backend.keyring)
  const cached = cache.get('')
  if (cached) return cached
  const health = await examine(examined)
  cache.set('', health)
  return health
}
