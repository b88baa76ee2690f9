/** User metadata of secrets: a map from key to value per secret. */
import { and, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select, selectValues } from '../database/prepared.ts'
import { insertWhere } from '../database/statements.ts'
import type { Secret } from '../entities.ts'
import { secretMetadata, secrets } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { authenticSecret, secretIs, selectSecret } from './secret-rows.ts'

/** Pairs of one secret, at most. */
const MOST_PAIRS = 128
/** Bytes of all keys and values of one secret in UTF-8, at most. */
const MOST_METADATA_BYTES = 16_384

export interface DescribedSecret extends Secret {
  readonly metadata: ReadonlyMap<string, string>
}

/** The live secret with its user metadata, in one round trip; throws `secretNotFound`. */
export async function findDescribedSecret(scope: KeyedScope, id: string): Promise<DescribedSecret> {
  const {
    secret: [row],
    pairs,
  } = await scope.db.batch({
    secret: selectSecret(scope, id, false),
    pairs: select(getTableColumns(secretMetadata), (columns) =>
      build.select(columns).from(secretMetadata).where(eq(secretMetadata.secretId, id)),
    ),
  })
  if (!row) throw fault('secretNotFound')
  return { ...(await authenticSecret(scope, row)), metadata: new Map(pairs.map(({ key, value }) => [key, value])) }
}

const pairIs = (secret: Secret, key: string) => and(eq(secretMetadata.secretId, secret.id), eq(secretMetadata.key, key))
const secretExists = (secret: Secret) => sql`exists (select 1 from ${secrets} where ${secretIs(secret)})`

const metadataFull = () => fault('metadataFull', String(MOST_PAIRS), String(MOST_METADATA_BYTES))

const bytesOf = (text: string) => new TextEncoder().encode(text).length

/** SQL: with this value under this key the secret has no more pairs and bytes than it may. */
function fits(secret: Secret, key: string, value: string): SQL {
  const pairs = sql`(select count(*) as number, total(length(cast(key as blob)) + length(cast(value as blob))) as bytes
    from ${secretMetadata} where ${secretMetadata.secretId} = ${secret.id} and ${secretMetadata.key} <> ${key})`
  return sql`(select number < ${MOST_PAIRS} and bytes + ${bytesOf(key) + bytesOf(value)} <= ${MOST_METADATA_BYTES}
    from ${pairs})`
}

/** Replaces all metadata of the secret; throws `metadataFull`. */
export async function replaceMetadata(
  scope: Scope,
  secret: Secret,
  metadata: ReadonlyMap<string, string>,
): Promise<void> {
  const bytes = [...metadata].reduce((sum, [key, value]) => sum + bytesOf(key) + bytesOf(value), 0)
  if (metadata.size > MOST_PAIRS || bytes > MOST_METADATA_BYTES) throw metadataFull()
  const pairs = JSON.stringify([...metadata])
  const rows = sql`select ${secrets.id}, value ->> 0, value ->> 1 from ${secrets}, json_each(${pairs}) where ${secretIs(secret)}`
  // Both statements may change no row although the secret exists, so the event depends on the secret instead.
  await commitWhere(scope, [changeOf(secret, 'update', 'secret/metadata')], secretExists(secret), {
    removed: change(build.delete(secretMetadata).where(eq(secretMetadata.secretId, secret.id))),
    added: change(build.insert(secretMetadata).select(rows)),
  })
}

/** Adds a pair; throws `metadatumExists` when the key is taken, and `metadataFull`. */
export async function addMetadatum(scope: Scope, secret: Secret, key: string, value: string): Promise<void> {
  const taken = sql<number>`exists (select 1 from ${secretMetadata} where ${pairIs(secret, key)})`
  const free = sql`${secretExists(secret)} and not ${taken} and ${fits(secret, key, value)}`
  const insert = insertWhere(secretMetadata, { secretId: secret.id, key, value }, free)
  const { changed, reason } = await commit(scope, changeOf(secret, 'create', 'secret/metadata'), insert, {
    reason: selectValues({ taken, full: sql<number>`not ${fits(secret, key, value)}` }),
  })
  if (changed > 0) return
  throw reason[0]?.taken === 0 && reason[0].full === 1 ? metadataFull() : fault('metadatumExists')
}

/** Changes the value of a key; throws `metadatumNotFound` when there is none, and `metadataFull`. */
export async function setMetadatum(scope: Scope, secret: Secret, key: string, value: string): Promise<void> {
  const isPair = pairIs(secret, key)
  const update = build
    .update(secretMetadata)
    .set({ value })
    .where(and(isPair, fits(secret, key, value)))
  const { changed, found } = await commit(scope, changeOf(secret, 'update', 'secret/metadata'), change(update), {
    found: select({ key: secretMetadata.key }, (columns) => build.select(columns).from(secretMetadata).where(isPair)),
  })
  if (changed === 0) throw found.length > 0 ? metadataFull() : fault('metadatumNotFound')
}

/** Removes a key, whether or not it exists. */
export async function removeMetadatum(scope: Scope, secret: Secret, key: string): Promise<void> {
  const removal = change(build.delete(secretMetadata).where(pairIs(secret, key)))
  await commit(scope, changeOf(secret, 'delete', 'secret/metadata'), removal)
}
