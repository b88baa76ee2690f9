/** User metadata of secrets: a map from key to value per secret. */
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { insertWhere } from '../database/statements.ts'
import type { Secret } from '../entities.ts'
import { secretMetadata, secrets } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { authenticSecret, secretIs, selectSecret } from './secret-rows.ts'

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

/** Replaces all metadata of the secret. */
export async function replaceMetadata(
  scope: Scope,
  secret: Secret,
  metadata: ReadonlyMap<string, string>,
): Promise<void> {
  const pairs = JSON.stringify([...metadata])
  const rows = sql`select ${secrets.id}, value ->> 0, value ->> 1 from ${secrets}, json_each(${pairs}) where ${secretIs(secret)}`
  // Both statements may change no row although the secret exists, so the event depends on the secret instead.
  await commitWhere(scope, [changeOf(secret, 'update', 'secret/metadata')], secretExists(secret), {
    removed: change(build.delete(secretMetadata).where(eq(secretMetadata.secretId, secret.id))),
    added: change(build.insert(secretMetadata).select(rows)),
  })
}

/** Adds a pair; throws `metadatumExists` if the key exists. */
export async function addMetadatum(scope: Scope, secret: Secret, key: string, value: string): Promise<void> {
  const free = sql`${secretExists(secret)}
    and not exists (select 1 from ${secretMetadata} where ${pairIs(secret, key)})`
  const insert = insertWhere(secretMetadata, { secretId: secret.id, key, value }, free)
  const { changed } = await commit(scope, changeOf(secret, 'create', 'secret/metadata'), insert)
  if (changed === 0) throw fault('metadatumExists')
}

/** Changes the value of a key; throws `metadatumNotFound` if the key does not exist. */
export async function setMetadatum(scope: Scope, secret: Secret, key: string, value: string): Promise<void> {
  const update = change(build.update(secretMetadata).set({ value }).where(pairIs(secret, key)))
  const { changed } = await commit(scope, changeOf(secret, 'update', 'secret/metadata'), update)
  if (changed === 0) throw fault('metadatumNotFound')
}

/** Removes a key, whether or not it exists. */
export async function removeMetadatum(scope: Scope, secret: Secret, key: string): Promise<void> {
  const removal = change(build.delete(secretMetadata).where(pairIs(secret, key)))
  await commit(scope, changeOf(secret, 'delete', 'secret/metadata'), removal)
}
