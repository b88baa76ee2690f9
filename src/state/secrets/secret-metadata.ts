/** User metadata of secrets: a map from key to value per secret. */
import { and, eq, sql } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes, insertWhere, storableJson } from '../database/statements.ts'
import { secretMetadata, secrets } from '../schema/resources.ts'
import { authenticSecret, findSecretBy, secretIs, type Secret } from './secret-rows.ts'

export interface DescribedSecret extends Secret {
  readonly metadata: ReadonlyMap<string, string>
}

/** The live secret with its user metadata, in one round trip; throws `secretNotFound`. */
export async function findDescribedSecret(backend: Backend, id: string): Promise<DescribedSecret> {
  const [[row], pairs] = await backend.db.batch([
    findSecretBy(backend, id, false),
    backend.db.select().from(secretMetadata).where(eq(secretMetadata.secretId, id)),
  ])
  if (!row) throw fault('secretNotFound')
  return { ...(await authenticSecret(backend, row)), metadata: new Map(pairs.map(({ key, value }) => [key, value])) }
}

const pairIs = (secret: Secret, key: string) => and(eq(secretMetadata.secretId, secret.id), eq(secretMetadata.key, key))

/** Replaces all metadata of the secret. */
export async function replaceMetadata(backend: Backend, secret: Secret, metadata: ReadonlyMap<string, string>) {
  const pairs = storableJson([...metadata])
  const rows = sql`select ${secrets.id}, value ->> 0, value ->> 1 from ${secrets}, json_each(${pairs}) where ${secretIs(secret)}`
  // Of statements that may both change nothing, none tells whether it was done: the secret does.
  const isThere = sql`exists (select 1 from ${secrets} where ${secretIs(secret)})`
  await commitWhere(
    backend,
    [changeOf(secret, 'update', 'secret/metadata')],
    isThere,
    backend.db.delete(secretMetadata).where(eq(secretMetadata.secretId, secret.id)),
    backend.db.insert(secretMetadata).select(rows),
  )
}

/** Adds a pair; throws `metadatumExists` when the key is taken. */
export async function addMetadatum(backend: Backend, secret: Secret, key: string, value: string): Promise<void> {
  const free = sql`exists (select 1 from ${secrets} where ${secretIs(secret)})
    and not exists (select 1 from ${secretMetadata} where ${pairIs(secret, key)})`
  const insert = insertWhere(backend, secretMetadata, { secretId: secret.id, key, value }, free)
  const [result] = await commit(backend, changeOf(secret, 'create', 'secret/metadata'), insert)
  if (changes(result) === 0) throw fault('metadatumExists')
}

/** Changes the value of a key; throws `metadatumNotFound` when there is none. */
export async function setMetadatum(backend: Backend, secret: Secret, key: string, value: string): Promise<void> {
  const update = backend.db.update(secretMetadata).set({ value }).where(pairIs(secret, key))
  const [result] = await commit(backend, changeOf(secret, 'update', 'secret/metadata'), update)
  if (changes(result) === 0) throw fault('metadatumNotFound')
}

/** Removes a key, whether or not it is there. */
export async function removeMetadatum(backend: Backend, secret: Secret, key: string): Promise<void> {
  const removal = backend.db.delete(secretMetadata).where(pairIs(secret, key))
  await commit(backend, changeOf(secret, 'delete', 'secret/metadata'), removal)
}
