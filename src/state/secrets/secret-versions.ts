/**
 * The versions of a secret: the present one, in the row of the secret, and those that it has replaced. An older version
 * is enabled, disabled (it opens for nobody, and can be enabled again) or destroyed.
 */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { SealError } from '../../crypto/envelope.ts'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { CONFLICT } from '../database/conflicts.ts'
import { overCurrent } from '../repeated-changes.ts'
import type { ReadPage } from '../database/pages.ts'
import { build, change, preparedSelect, select, selectValues } from '../database/prepared.ts'
import type { Secret } from '../entities.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { payloadPlace } from '../keys/sealed-values.ts'
import { projectKeys } from '../schema/resources.ts'
import { secretVersions } from '../schema/secret-versions.ts'
import { sawSecret } from './last-seen.ts'
import { authenticSecret, presentVersion, selectSecret } from './secret-rows.ts'
import { findSealedSecret, openSealed, selectSealedSecret, type SealedPayload, type SealedSecret } from './secrets.ts'
import { isExtractable } from './usages.ts'

export interface SecretVersion {
  readonly version: number
  readonly status: 'CURRENT' | 'ENABLED' | 'DISABLED' | 'DESTROYED'
  readonly created: string
  /** Who stored the payload; null: the service. */
  readonly creatorId: string | null
  readonly origin: string
  readonly contentType: string | null
  /** When the payload was destroyed; null if it was not. */
  readonly destroyed: string | null
}

/** More than any sealed key has. */
const MOST_SEALED_KEY_BYTES = 65_536

/** Which version of a secret: its number, the present one, or the one before that. */
export type WhichVersion = number | 'current' | 'previous'

const versionColumns = {
  id: secretVersions.id,
  secretId: secretVersions.secretId,
  projectId: secretVersions.projectId,
  version: secretVersions.version,
  enabled: secretVersions.enabled,
  created: secretVersions.created,
  creatorId: secretVersions.creatorId,
  origin: secretVersions.origin,
  contentType: secretVersions.contentType,
  destroyed: secretVersions.destroyed,
  mac: secretVersions.mac,
}
const ofSecret = sql`${secretVersions.secretId} = ${sql.placeholder('id')}`
/** The newest replaced version up to a number. */
const upTo = and(ofSecret, sql`${secretVersions.version} <= ${sql.placeholder('number')}`)
const newest = sql`${secretVersions.version} desc`

const versionBy = preparedSelect(versionColumns, (columns) =>
  build.select(columns).from(secretVersions).where(upTo).orderBy(newest).limit(1),
)
type VersionRow = Awaited<ReturnType<ReturnType<typeof versionBy>['read']>>[number]

const sealedColumns = {
  ...versionColumns,
  store: secretVersions.store,
  keyVersion: secretVersions.keyVersion,
  sealed: secretVersions.sealed,
  wrapped: projectKeys.wrapped,
  superseded: projectKeys.superseded,
}
const keyOfVersion = and(
  eq(projectKeys.projectId, secretVersions.projectId),
  eq(projectKeys.store, secretVersions.store),
  eq(projectKeys.version, secretVersions.keyVersion),
)
const sealedVersionBy = preparedSelect(sealedColumns, (columns) =>
  build.select(columns).from(secretVersions).leftJoin(projectKeys, keyOfVersion).where(upTo).orderBy(newest).limit(1),
)
const numbered = sql`${secretVersions.version} in (select value from json_each(${sql.placeholder('numbers')}))`
/** Longer payloads are no keys. A request may name a hundred versions, which must fit into the memory of an isolate. */
const isOfKeySize = sql`coalesce(length(${secretVersions.sealed}), 0) <= ${MOST_SEALED_KEY_BYTES}`
const keyVersionsBy = preparedSelect(sealedColumns, (columns) =>
  build
    .select(columns)
    .from(secretVersions)
    .leftJoin(projectKeys, keyOfVersion)
    .where(and(ofSecret, numbered, isOfKeySize)),
)
type SealedRow = Awaited<ReturnType<ReturnType<typeof keyVersionsBy>['read']>>[number]

/** The present version; null for a secret without payload. */
function presentOf(secret: Secret): SecretVersion | null {
  const version = presentVersion(secret)
  if (version === null) return null
  const withSecret = secret.versionCreated === null
  return {
    version,
    status: 'CURRENT',
    created: secret.versionCreated ?? secret.created,
    creatorId: withSecret ? secret.creatorId : secret.versionCreator,
    origin: secret.versionOrigin ?? 'payload',
    contentType: secret.contentType,
    destroyed: null,
  }
}

function replacedOf({ enabled, ...row }: VersionRow): SecretVersion {
  const { version, created, creatorId, origin, contentType, destroyed } = row
  const status = destroyed !== null ? 'DESTROYED' : enabled ? 'ENABLED' : 'DISABLED'
  return { version, status, created, creatorId, origin, contentType, destroyed }
}

/** A version with its secret, whose access rules apply to it. */
export interface VersionOfSecret {
  readonly secret: Secret
  readonly version: SecretVersion
}

/** An older version as it was read, so that a change is stored only over this state. */
interface ReplacedVersion extends VersionOfSecret {
  readonly row: VersionRow
}

/** A version with its sealed payload and the wrapped key that opens it. */
export interface SealedVersion extends VersionOfSecret {
  readonly payload: SealedPayload
}

const numberUpTo = (which: WhichVersion) => (typeof which === 'number' ? which : Number.MAX_SAFE_INTEGER)

/** The row of the older version that is meant; throws `versionNotFound`, and RowRefused if it is not authentic. */
async function requireRow<Row extends VersionRow>(
  backend: Backend,
  secret: Secret,
  which: WhichVersion,
  row: Row | undefined,
): Promise<Row> {
  const isMeant = row && (which === 'previous' || row.version === which) && row.projectId === secret.projectId
  if (!isMeant) throw fault('versionNotFound')
  return requireAuthentic(backend, 'secretVersions', row)
}

/**
 * Finds a version of the live secret with this id, in any project, in one round trip. Throws `secretNotFound` and
 * `versionNotFound`. `row` is undefined for the present version.
 */
export async function findVersion(
  backend: Backend,
  id: string,
  which: WhichVersion,
): Promise<VersionOfSecret & { readonly row?: VersionRow }> {
  const found = await backend.db.batch({
    secret: selectSecret(backend, id, false),
    version: versionBy({ id, number: numberUpTo(which) }),
  })
  const [secretRow] = found.secret
  if (!secretRow) throw fault('secretNotFound')
  const secret = await authenticSecret(backend, secretRow)
  const present = presentOf(secret)
  if (present && (which === 'current' || which === present.version)) return { secret, version: present }
  const row = await requireRow(backend, secret, which, found.version[0])
  return { secret, version: replacedOf(row), row }
}

/** Like {@link findVersion}, with the sealed payload and the wrapped key that opens it. */
export async function findSealedVersion(backend: Backend, id: string, which: WhichVersion): Promise<SealedVersion> {
  if (which === 'current') {
    const secret = await findSealedSecret(backend, id)
    const version = presentOf(secret)
    if (!version) throw fault('noPayload')
    return { secret, version, payload: secret }
  }
  const found = await backend.db.batch({
    secret: selectSealedSecret(backend, id),
    version: sealedVersionBy({ id, number: numberUpTo(which) }),
  })
  const [secretRow] = found.secret
  if (!secretRow) throw fault('secretNotFound')
  const secret = await authenticSecret(backend, secretRow)
  const present = presentOf(secret)
  if (present && which === present.version) return { secret, version: present, payload: secretRow }
  const row = await requireRow(backend, secret, which, found.version[0])
  return { secret, version: replacedOf(row), payload: row }
}

/**
 * Opens the payload of a version, for use within the service. Throws `versionDisabled` or `versionDestroyed`, and SealError if it cannot be opened
 * in its place.
 */
export async function openVersion(
  backend: Backend,
  { secret, version: { version, status }, payload }: SealedVersion,
): Promise<Uint8Array<ArrayBuffer>> {
  if (status === 'DISABLED') throw fault('versionDisabled', String(version))
  if (status === 'DESTROYED') throw fault('versionDestroyed')
  if (!payload.sealed) throw new SealError('the payload of a version is missing')
  return openSealed(backend, payloadPlace(secret.projectId, secret.id, version), payload)
}

/** A secret whose payload is used as a key, with the older versions that a request names. */
export interface StoredKey extends SealedSecret {
  readonly olderVersions: readonly SealedRow[]
}

/**
 * Finds the live secret with this id, in any project, with its present payload and, of the versions with these numbers,
 * those that are older and can be keys, in one round trip. Throws `secretNotFound`.
 */
export async function findKey(backend: Backend, id: string, numbers: ReadonlySet<number>): Promise<StoredKey> {
  if (numbers.size === 0) return { ...(await findSealedSecret(backend, id)), olderVersions: [] }
  const found = await backend.db.batch({
    secret: selectSealedSecret(backend, id),
    olderVersions: keyVersionsBy({ id, numbers: JSON.stringify([...numbers]) }),
  })
  const [row] = found.secret
  if (!row) throw fault('secretNotFound')
  return { ...(await authenticSecret(backend, row)), consumers: null, olderVersions: found.olderVersions }
}

/**
 * Opens an older version of a key. Throws `keyVersion` if none with this number was found, `versionDisabled` and
 * `versionIsDestroyed`, and SealError if it cannot be opened in its place.
 */
export async function openKeyVersion(
  backend: Backend,
  key: StoredKey,
  number: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const found = key.olderVersions.find(({ version }) => version === number)
  if (!found || found.projectId !== key.projectId) throw fault('keyVersion', String(number))
  const row = await requireAuthentic(backend, 'secretVersions', found)
  if (row.destroyed !== null) throw fault('versionIsDestroyed', String(number))
  return openVersion(backend, { secret: key, version: replacedOf(row), payload: row })
}

/** Like {@link openVersion}, for whoever may read the payload. Throws `notExtractable` if nobody may. */
export function readVersion(backend: Backend, found: SealedVersion): Promise<Uint8Array<ArrayBuffer>> {
  if (!isExtractable(found.secret)) throw fault('notExtractable')
  return openVersion(backend, found)
}

/** A page of versions; with `before` only those with a smaller number. */
export interface VersionsPage {
  readonly limit: number
  readonly offset: number
  readonly before: number | undefined
}

/**
 * Finds the live secret with this id and one page of its versions, newest first, in one round trip. Rows that are not
 * authentic are omitted. Throws `secretNotFound`, and `markerUnknown` for a number that no version can have had.
 */
export async function listVersions(
  backend: Backend,
  id: string,
  { limit, offset, before }: VersionsPage,
): Promise<{ readonly secret: Secret; readonly listed: ReadPage<SecretVersion> }> {
  const ofId = eq(secretVersions.secretId, id)
  // The present version is the first of the list, and not in this table.
  const skipped = before === undefined ? Math.max(0, offset - 1) : offset
  const below = before === undefined ? undefined : sql`${secretVersions.version} < ${before}`
  const found = await backend.db.batch({
    secret: selectSecret(backend, id, false),
    rows: select(versionColumns, (columns) =>
      build
        .select(columns)
        .from(secretVersions)
        .where(and(ofId, below))
        .orderBy(newest)
        .limit(limit + 1)
        .offset(skipped),
    ),
    counted: selectValues({ replaced: sql<number>`(select count(*) from ${secretVersions} where ${ofId})` }),
  })
  const [secretRow] = found.secret
  if (!secretRow) throw fault('secretNotFound')
  const secret = sawSecret(backend, await authenticSecret(backend, secretRow))
  const present = presentOf(secret)
  if (before !== undefined && before > (present?.version ?? 0)) throw fault('markerUnknown')
  const withPresent = before === undefined && offset === 0 && present !== null
  const room = withPresent ? limit - 1 : limit
  const rows = await authentic(backend, 'secretVersions', found.rows.slice(0, room))
  const items = [...(withPresent ? [present] : []), ...rows.map(replacedOf)]
  const total = (found.counted[0]?.replaced ?? 0) + (present ? 1 : 0)
  return { secret, listed: { items, total, more: found.rows.length > room } }
}

/** The older version, not destroyed; throws `versionIsCurrent` and `versionDestroyed`. */
function requireReplaced(found: Awaited<ReturnType<typeof findVersion>>): ReplacedVersion {
  const { row, version } = found
  if (!row) throw fault('versionIsCurrent')
  if (version.status === 'DESTROYED') throw fault('versionDestroyed')
  return { ...found, row }
}

/** Repeats a change of an older version until it is stored over the state that was read. */
function changeVersion(
  backend: Backend,
  found: Awaited<ReturnType<typeof findVersion>>,
  attempt: (read: ReplacedVersion) => Promise<number>,
): Promise<void> {
  const readAgain = () => findVersion(backend, found.secret.id, found.version.version)
  return overCurrent(backend, { found, readAgain, entityOf: ({ secret }) => secret }, async (read) =>
    (await attempt(requireReplaced(read))) > 0 ? undefined : CONFLICT,
  )
}

const isAsRead = ({ row }: ReplacedVersion) =>
  and(eq(secretVersions.id, row.id), eq(secretVersions.mac, row.mac), isNull(secretVersions.destroyed))

/**
 * Enables or disables an older version and returns it. Throws `versionIsCurrent` when the present one is to be disabled,
 * and `versionDestroyed`.
 */
export async function enableVersion(
  backend: Backend,
  found: Awaited<ReturnType<typeof findVersion>>,
  enabled: boolean,
): Promise<SecretVersion> {
  if (enabled && !found.row) return found.version
  await changeVersion(backend, found, async (read) => {
    const { mac } = await withMac(backend, 'secretVersions', { ...read.row, enabled })
    const update = build.update(secretVersions).set({ enabled, mac }).where(isAsRead(read))
    const { changed } = await commit(backend, changeOf(read.secret, 'update', 'secret/version'), change(update))
    return changed
  })
  return { ...found.version, status: enabled ? 'ENABLED' : 'DISABLED' }
}

/**
 * Destroys the payload of a disabled version; its entry remains. Throws `versionIsCurrent`, `versionEnabled` and
 * `versionDestroyed`.
 */
export function destroyVersion(backend: Backend, found: Awaited<ReturnType<typeof findVersion>>): Promise<void> {
  return changeVersion(backend, found, async (read) => {
    if (read.row.enabled) throw fault('versionEnabled', String(read.row.version))
    const update = build
      .update(secretVersions)
      .set({ sealed: null, keyVersion: null, destroyed: backend.now })
      .where(isAsRead(read))
    const { changed } = await commit(backend, changeOf(read.secret, 'delete', 'secret/version'), change(update))
    return changed
  })
}
