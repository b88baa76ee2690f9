/** Look-ups of payloads: several at once, and by name. */
import { and, desc, eq, isNotNull, sql } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import type { Backend } from '../backend.ts'
import { build, preparedSelect } from '../database/prepared.ts'
import type { Secret } from '../entities.ts'
import { projectKeys, secrets } from '../schema/resources.ts'
import { beginRead, isRemembered, named, nameKey, recall, rows } from './memory.ts'
import { readSealedSecret } from './secret-reads.ts'
import { authenticSecret, foundColumns, live } from './secret-rows.ts'
import { findSealedSecret, keyOfSecret, sealedColumns, selectSealedSecret, type SealedSecret } from './secrets.ts'

/**
 * Reads the live secrets with these ids, in any project and in at most one round trip. Returns for each that exists a
 * function that checks and returns it; it throws `RowRefused` for a damaged row, which is thus no failure of the others.
 */
export async function findSealedSecrets(
  backend: Backend,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, () => Promise<SealedSecret>>> {
  const placeOf = (id: string) => ({ memory: rows, key: id, about: id })
  const isKept = (id: string) => isRemembered(backend, placeOf(id))
  const [kept, missing] = [[...ids].filter(isKept), [...ids].filter((id) => !isKept(id))]
  const recalled = kept.map((id) => [id, () => readSealedSecret(backend, id)] as const)
  if (missing.length === 0) return new Map(recalled)
  const reads = new Map(missing.map((id) => [id, beginRead(backend, placeOf(id))]))
  const statements = missing.map((id) => selectSealedSecret(backend, id))
  const { found } = await backend.db.batch({ found: statements })
  const read = found.flat().map((row) => {
    const checked = async () => {
      const secret = await authenticSecret(backend, row)
      return reads.get(row.id)?.(secret) ?? secret
    }
    return [row.id, checked] as const
  })
  return new Map([...recalled, ...read])
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

async function newestOf(backend: Backend, projectId: string, name: string): Promise<SealedSecret> {
  const [row] = await backend.db.run(newestSealed({ projectId, name, now: backend.now, withConsumers: false }))
  if (!row) throw fault('secretNotFound')
  return authenticSecret(backend, row)
}

/**
 * Finds the newest live secret of the project that has this name, a payload, and is admitted: in at most one round trip if
 * that is the newest of all. Throws `secretNotFound`, and `RowRefused` if a row that is newer was damaged, so that damage
 * does not bring back an older payload.
 */
export async function findNewestNamed(
  backend: Backend,
  projectId: string,
  name: string,
  isAdmitted: (secret: Secret) => boolean,
): Promise<SealedSecret> {
  const place = { memory: named, key: nameKey(projectId, name), about: projectId }
  const first = await recall(backend, place, (one) => newestOf(one, projectId, name))
  if (isAdmitted(first)) return first
  const values = { projectId, name, now: backend.now, withConsumers: false }
  for (const other of await backend.db.run(candidates(values))) {
    const secret = await authenticSecret(backend, other)
    if (isAdmitted(secret)) return findSealedSecret(backend, secret.id)
  }
  throw fault('secretNotFound')
}
