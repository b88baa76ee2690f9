/** Look-ups of payloads: several at once, and by name. */
import { and, desc, eq, isNotNull, sql } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import type { Backend } from '../backend.ts'
import { build, preparedSelect } from '../database/prepared.ts'
import type { Secret } from '../entities.ts'
import { projectKeys, secrets } from '../schema/resources.ts'
import { authenticSecret, foundColumns, live } from './secret-rows.ts'
import { findSealedSecret, keyOfSecret, sealedColumns, sealedSecretBy, type SealedSecret } from './secrets.ts'

/**
 * Reads the live secrets with these ids, in any project and in one round trip. Returns for each that exists a function that
 * checks and returns it; it throws `RowRefused` for a damaged row, which is thus no failure of the others.
 */
export async function findSealedSecrets(
  backend: Backend,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, () => Promise<SealedSecret>>> {
  if (ids.size === 0) return new Map()
  const statements = Array.from(ids, (id) => sealedSecretBy({ id, now: backend.now }))
  const { found } = await backend.db.batch({ found: statements })
  return new Map(
    found.flat().map((row) => [row.id, async () => ({ ...(await authenticSecret(backend, row)), consumers: null })]),
  )
}

/** Of the secrets of one name, so many of the newest are considered. */
export const MOST_CANDIDATES = 100

const withPayload = and(
  eq(secrets.projectId, sql.placeholder('projectId')),
  eq(secrets.name, sql.placeholder('name')),
  isNotNull(secrets.sealed),
  live(sql.placeholder('now')),
)
/** In the order of creation the index of names is read from its end, so that older secrets of the name cost nothing. */
const newest = desc(secrets.seq)
const newestSealed = preparedSelect(sealedColumns, (columns) =>
  build.select(columns).from(secrets).leftJoin(projectKeys, keyOfSecret).where(withPayload).orderBy(newest).limit(1),
)
const candidates = preparedSelect(foundColumns, (columns) =>
  build.select(columns).from(secrets).where(withPayload).orderBy(newest).limit(MOST_CANDIDATES),
)

/**
 * Finds the newest live secret of the project that has this name, a payload, and is admitted: in one round trip if that
 * is the newest of all. Throws `secretNotFound`, and `RowRefused` if a row that is newer was damaged, so that damage does
 * not bring back an older payload.
 */
export async function findNewestNamed(
  backend: Backend,
  projectId: string,
  name: string,
  isAdmitted: (secret: Secret) => boolean,
): Promise<SealedSecret> {
  const values = { projectId, name, now: backend.now }
  const [row] = await backend.db.run(newestSealed(values))
  if (!row) throw fault('secretNotFound')
  const first: SealedSecret = { ...(await authenticSecret(backend, row)), consumers: null }
  if (isAdmitted(first)) return first
  for (const other of await backend.db.run(candidates({ ...values, withConsumers: false }))) {
    const secret = await authenticSecret(backend, other)
    if (isAdmitted(secret)) return findSealedSecret(backend, secret.id)
  }
  throw fault('secretNotFound')
}
