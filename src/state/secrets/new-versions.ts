/**
 * Payloads of secrets that exist: the first one, and versions that replace the present one. One batch moves the replaced
 * payload to `secret_versions` with its ciphertext as it is, stores the new one in the row of the secret, and destroys
 * the oldest payloads beyond those that are kept. It is stored only over the row that was read, so that numbers follow
 * each other and none is given twice.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { seal } from '../../crypto/envelope.ts'
import { symmetricKey, symmetricOutcome } from '../../crypto/generate.ts'
import { fault } from '../../faults.ts'
import { later } from '../../times.ts'
import { commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { CONFLICT, patient } from '../database/conflicts.ts'
import { overCurrent } from '../repeated-changes.ts'
import { build, change, selectValues, type Statement } from '../database/prepared.ts'
import { bytesAsSql } from '../database/statements.ts'
import type { Secret, SecretRow } from '../entities.ts'
import { withMac } from '../integrity/row-authentication.ts'
import { sealingKey, underSealingKey } from '../keys/project-keys.ts'
import { payloadId, payloadPlace } from '../keys/sealed-values.ts'
import { storeForNewSecrets } from '../projects/secret-stores.ts'
import { secretConsumers, secrets } from '../schema/resources.ts'
import { KEPT_VERSIONS, secretVersions } from '../schema/secret-versions.ts'
import { sawSecret } from './last-seen.ts'
import { authenticSecret, FIRST_VERSION, GENERATED, presentVersion, protectedSecret } from './secret-rows.ts'
import { secretIs, selectSecret } from './secret-rows.ts'
import { currentSecret } from './secrets.ts'
import { usagesOfSecret, type Usage } from './usages.ts'

/** Entries of destroyed versions are kept until so many newer versions have followed. */
const MOST_NEWER_VERSIONS = 100
const SECONDS_PER_DAY = 86_400

export type Origin = 'payload' | typeof GENERATED | `restored from ${number}`

export interface NewPayload {
  readonly bytes: Uint8Array
  readonly contentType: string | null
  readonly origin: Origin
}

/** A change of a payload. `check` and `payload` are called with the secret as it is at each attempt, and may throw. */
export interface PayloadChange {
  readonly check: (secret: Secret) => void
  readonly payload: (secret: Secret) => NewPayload
  /** The new expiration of the secret; undefined: it stays. */
  readonly expiration?: string | null | undefined
  /** SQL: a further condition on which it is stored; where it fails, `unmet` is thrown. */
  readonly onlyIf?: { readonly condition: SQL; readonly unmet: () => Error }
}

export interface StoredVersion {
  readonly version: number
  /** How many consumers are registered for the secret. */
  readonly consumers: number
}

/** Usages for which an older version is needed: it decrypts or verifies what was once encrypted or signed. */
const lasting: ReadonlySet<Usage> = new Set<Usage>(['decrypt', 'verify', 'mac'])

/** Reports whether no version of the secret is destroyed unless somebody asks for it. */
const keepsAll = (secret: Secret) => usagesOfSecret(secret).some((usage) => lasting.has(usage))

/** SQL: the payloads that newer ones have replaced, without those that were destroyed. */
const replacedOf = ({ id }: Secret) => sql`${secretVersions.secretId} = ${id} and ${secretVersions.destroyed} is null`

/** When the service replaces a payload that is stored now; null: never. */
export const rotationAfter = (stored: string, days: number | null, origin: string | null): string | null =>
  days && origin === GENERATED ? later(stored, days * SECONDS_PER_DAY) : null

/** Moves the present payload of the secret; `isRead` is the condition on the row. Nothing for a secret without payload. */
async function moving(backend: Backend, secret: Secret, isRead: SQL): Promise<Statement<number>[]> {
  const version = presentVersion(secret)
  if (version === null) return []
  const { projectId, contentType } = secret
  const { mac, ...row } = await withMac(backend, 'secretVersions', {
    id: payloadId(secret.id, version),
    secretId: secret.id,
    projectId,
    version,
    enabled: true,
    created: secret.versionCreated ?? secret.created,
    creatorId: secret.versionCreated === null ? secret.creatorId : secret.versionCreator,
    origin: secret.versionOrigin ?? 'payload',
    contentType,
  })
  // In the order of the table's columns.
  const values = sql`select null, ${row.id}, ${row.secretId}, ${projectId}, ${version}, 1, ${row.created},
    ${row.creatorId}, ${row.origin}, ${contentType}, null, ${secrets.store}, ${secrets.keyVersion}, ${mac},
    ${secrets.sealed} from ${secrets} where ${isRead}`
  return [change(build.insert(secretVersions).select(values))]
}

/** Destroys the oldest payloads beyond those that are kept, and removes old entries, if the row has the new MAC. */
function trimming(backend: Backend, secret: Secret, version: number, mac: string): Statement<number>[] {
  const isStored = sql`exists (select 1 from ${secrets} where ${secretIs(secret)} and ${secrets.mac} = ${mac})`
  const others = (secret.keep ?? backend.keepVersions) - 1
  const beyond = sql`${secretVersions.version} in (select version from ${secretVersions}
    where ${replacedOf(secret)} order by version desc limit -1 offset ${others})`
  const destroy = build
    .update(secretVersions)
    .set({ sealed: null, keyVersion: null, destroyed: backend.now })
    .where(and(replacedOf(secret), beyond, isStored))
  const isOld = sql`${secretVersions.secretId} = ${secret.id} and ${secretVersions.destroyed} is not null
    and ${secretVersions.version} < ${version - MOST_NEWER_VERSIONS}`
  const forget = change(build.delete(secretVersions).where(and(isOld, isStored)))
  return keepsAll(secret) ? [forget] : [change(destroy), forget]
}

/** The columns that change with the new payload, and the secret that has it. */
async function replacement(backend: Backend, secret: Secret, version: number, made: PayloadChange) {
  const { bytes, contentType, origin } = made.payload(secret)
  const store = await storeForNewSecrets(backend, secret.projectId)
  const key = await sealingKey(backend, secret.projectId, store)
  const sealed = await seal(key, payloadPlace(secret.projectId, secret.id, version), bytes)
  const values = {
    contentType,
    expiration: made.expiration === undefined ? secret.expiration : made.expiration,
    version: version === FIRST_VERSION ? null : version,
    versionCreated: backend.now,
    versionCreator: backend.source.initiator?.userId ?? null,
    versionOrigin: origin === 'payload' ? null : origin,
    rotationDue: rotationAfter(backend.now, secret.rotateDays, origin),
  }
  const { mac } = await withMac(backend, 'secrets', { ...protectedSecret(secret), ...values, sealed })
  return {
    mac,
    values: { ...values, sealed: bytesAsSql(sealed), store, keyVersion: key.version, mac },
    replaced: { ...secret, ...values, hasPayload: true, updated: backend.now, mac },
  }
}

interface Attempt {
  readonly stored: StoredVersion | null
  /** The secret after the attempt; undefined if it was deleted or has expired. */
  readonly after: SecretRow | undefined
}

/** Stores the payload if the secret's row has not changed since it was read. */
function attempt(backend: Backend, secret: Secret, made: PayloadChange): Promise<Attempt> {
  return underSealingKey(backend, secret.projectId, async () => {
    const before = presentVersion(secret)
    const version = before === null ? FIRST_VERSION : before + 1
    const { mac, values, replaced } = await replacement(backend, secret, version, made)
    const full = sql`(select count(*) from ${secretVersions} where ${replacedOf(secret)}) >= ${KEPT_VERSIONS.most - 1}`
    const hasRoom = before !== null && keepsAll(secret) ? sql`not ${full}` : sql`true`
    const isRow = sql`${secretIs(secret)} and ${secrets.mac} = ${secret.mac} and ${made.onlyIf?.condition ?? sql`true`}`
    const isRead = sql`${isRow} and ${hasRoom}`
    const isMoved = sql`exists (select 1 from ${secretVersions} where id = ${payloadId(secret.id, version - 1)})`
    const update = build
      .update(secrets)
      .set({ ...values, updated: backend.now })
      .where(before === null ? isRead : sql`${isRow} and ${isMoved}`)
    const event = changeOf(secret, before === null ? 'create' : 'update', 'secret/payload', mac)
    const done = await commitWhere(backend, [event], sql`exists (select 1 from ${secrets} where ${isRead})`, {
      moved: await moving(backend, secret, isRead),
      replaced: change(update),
      trimmed: before === null ? [] : trimming(backend, secret, version, mac),
      after: selectSecret(backend, secret.id, false),
      counted: selectValues({
        consumers: sql<number>`(select count(*) from ${secretConsumers} where ${eq(secretConsumers.secretId, secret.id)})`,
      }),
    })
    const consumers = done.counted[0]?.consumers ?? 0
    if (done.replaced === 0) return { stored: null, after: done.after[0] }
    sawSecret(backend, replaced)
    return { stored: { version, consumers }, after: done.after[0] }
  })
}

/**
 * Stores a payload of a secret that exists and returns its number. Concurrent changes of the secret follow each other.
 * Throws what `check` and `payload` throw, `secretNotFound` if the secret was deleted, and `versionsFull` if it is a key
 * with as many versions as are kept at most, none of which is destroyed by itself.
 */
export function storePayload(backend: Backend, secret: Secret, made: PayloadChange): Promise<StoredVersion> {
  return overCurrent(
    backend,
    currentSecret(backend, secret),
    async (current) => {
      made.check(current)
      const { stored, after } = await attempt(backend, current, made)
      if (stored) return stored
      if (!after) throw fault('secretNotFound')
      // The row has not changed, so that one of the other conditions did not hold.
      if (after.mac === current.mac) throw made.onlyIf?.unmet() ?? fault('versionsFull', String(KEPT_VERSIONS.most))
      made.check(await authenticSecret(backend, after))
      return CONFLICT
    },
    patient,
  )
}

/** Reports whether the service can make such a key: those of key orders. */
export function canGenerate({ secretType, algorithm, bitLength, mode }: Secret): boolean {
  return secretType === 'symmetric' && symmetricOutcome(algorithm ?? '', bitLength ?? 0, mode) === 'generated'
}

/** A new random key of the secret's algorithm and length; throws `notGenerated` if the service does not make such keys. */
export function generatedPayload(secret: Secret): NewPayload {
  if (!canGenerate(secret)) throw fault('notGenerated')
  const bytes = symmetricKey(secret.bitLength ?? 0)
  // What an order has made keeps its content type, which may be none. The bytes of a key are no text.
  const isOfOrder = secret.hasPayload && (secret.versionOrigin === GENERATED || secret.contentType === null)
  return { bytes, contentType: isOfOrder ? secret.contentType : 'application/octet-stream', origin: GENERATED }
}
