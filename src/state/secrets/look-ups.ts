/** Look-ups of payloads: several at once, and by name. */
import { and, desc, eq, isNotNull, sql, type SQL } from 'drizzle-orm'
import type { Owner } from '../../caller.ts'
import { fault } from '../../faults.ts'
import type { Backend } from '../backend.ts'
import { build, preparedSelect } from '../database/prepared.ts'
import type { Secret } from '../entities.ts'
import { applicationCredentials } from '../schema/identity.ts'
import { projectKeys, secrets } from '../schema/resources.ts'
import { beginRead, hasChanges, isRemembered, named, nameKey, recall, rows } from './memory.ts'
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

const withPayload = (projectId: SQL) =>
  and(
    eq(secrets.projectId, projectId),
    eq(secrets.name, sql.placeholder('name')),
    isNotNull(secrets.sealed),
    live(sql.placeholder('now')),
  )
const ofProject = withPayload(sql`${sql.placeholder('projectId')}`)
const ofCredential = withPayload(
  sql`(select project_id from ${applicationCredentials} where id = ${sql.placeholder('credential')})`,
)
/** In the order of creation the index of names is read from its end, so that older secrets of the name cost nothing. */
const newest = desc(secrets.seq)
const newestSealedOf = (condition: SQL | undefined) =>
  preparedSelect(sealedColumns, (columns) =>
    build.select(columns).from(secrets).leftJoin(projectKeys, keyOfSecret).where(condition).orderBy(newest).limit(1),
  )
const newestOfProject = newestSealedOf(ofProject)
const newestOfCredential = newestSealedOf(ofCredential)
const candidates = preparedSelect(foundColumns, (columns) =>
  build.select(columns).from(secrets).where(ofProject).orderBy(newest).limit(MOST_CANDIDATES),
)

const placeOf = (projectId: string, name: string) => ({
  memory: named,
  key: nameKey(projectId, name),
  about: projectId,
})

async function newestOf(backend: Backend, projectId: string, name: string): Promise<SealedSecret> {
  const [row] = await backend.db.run(newestOfProject({ projectId, name, now: backend.now, withConsumers: false }))
  if (!row) throw fault('secretNotFound')
  return authenticSecret(backend, row)
}

/** Whose secrets are looked up by name. */
export interface Asker {
  /** Its project is not known before the live check if there is a `credential`. */
  readonly caller: Pick<Owner, 'projectId'>
  /** The credential by which the project is found; undefined: it is known without one. */
  readonly credential: string | undefined
}

/**
 * The newest secret of a name in the project of a credential, which the answer to the live check names: both are read in one
 * round trip, from one state of the database. The check precedes the result, and finds the project in an authentic row.
 */
async function newestBesideCheck(backend: Backend, { caller, credential }: Asker, name: string): Promise<SealedSecret> {
  const values = { credential, name, now: backend.now, withConsumers: false }
  const [row] = await backend.db.run(newestOfCredential(values))
  const { projectId } = caller
  const place = placeOf(projectId, name)
  if (!hasChanges(backend, projectId)) return recall(backend, place, (one) => newestOf(one, projectId, name))
  if (row?.projectId !== projectId) throw fault('secretNotFound')
  const remember = beginRead(backend, place)
  return remember(await authenticSecret(backend, row))
}

async function newestOfKnown(backend: Backend, { caller }: Asker, name: string): Promise<SealedSecret> {
  const { projectId } = caller
  const found = await recall(backend, placeOf(projectId, name), (one) => newestOf(one, projectId, name))
  // What is remembered was read without the live check.
  await backend.db.requireAnswers()
  return found
}

/**
 * Finds the newest live secret of the project that has this name, a payload, and is admitted: in at most one round trip if
 * that is the newest of all. Throws `secretNotFound`, and `RowRefused` if a row that is newer was damaged, so that damage
 * does not bring back an older payload.
 */
export async function findNewestNamed(
  backend: Backend,
  asker: Asker,
  name: string,
  isAdmitted: (secret: Secret) => boolean,
): Promise<SealedSecret> {
  const isUnknown = asker.credential !== undefined && backend.db.isOpen
  const first = await (isUnknown ? newestBesideCheck : newestOfKnown)(backend, asker, name)
  if (isAdmitted(first)) return first
  const values = { projectId: asker.caller.projectId, name, now: backend.now, withConsumers: false }
  for (const other of await backend.db.run(candidates(values))) {
    const secret = await authenticSecret(backend, other)
    if (isAdmitted(secret)) return findSealedSecret(backend, secret.id)
  }
  throw fault('secretNotFound')
}
