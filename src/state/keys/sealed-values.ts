/** The sealed columns of all tables, and the place to which each sealed value is bound. */
import type { Place } from '../../crypto/envelope.ts'
import { certificateAuthorities, orders, secrets } from '../schema/resources.ts'
import { secretVersions } from '../schema/secret-versions.ts'

/**
 * Whose key authenticates rows; it is wrapped like the keys of projects, and never superseded. No project has this id:
 * those of projects have no spaces.
 */
export const ROW_KEYS_OWNER = 'row authentication'

/** SQL, with the alias `sealed_row`: the id of the place of a secret's payload; see {@link payloadPlace}. */
const placeOfSecret =
  "case when sealed_row.version > 1 then sealed_row.id || '@' || sealed_row.version else sealed_row.id end"

/**
 * Every table with sealed columns: the names of the columns in drizzle's schema, the kinds that keep the values of one
 * id apart, and SQL for that id. The key of the row's project, `store` and `key_version` seals them.
 */
export const sealedTables = [
  {
    table: secrets,
    name: 'secrets',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'payload' },
    placeId: placeOfSecret,
  },
  {
    table: orders,
    name: 'orders',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'passphrase' },
    placeId: 'sealed_row.id',
  },
  {
    table: certificateAuthorities,
    name: 'certificate_authorities',
    columns: { root_sealed: 'rootSealed', issuing_sealed: 'issuingSealed' },
    kinds: { root_sealed: 'root key', issuing_sealed: 'issuing key' },
    placeId: 'sealed_row.id',
  },
  {
    table: secretVersions,
    name: 'secret_versions',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'payload' },
    placeId: 'sealed_row.id',
  },
] as const

export type SealedTable = (typeof sealedTables)[number]

/**
 * The id of a payload's place: `id` is that of the secret. The first payload of a secret has the secret's id, so that no
 * older payload opens in the place of a newer one.
 */
export const payloadId = (id: string, version: number): string => (version > 1 ? `${id}@${version}` : id)

/** The place of a version of a secret's payload. */
export const payloadPlace = (project: string, id: string, version: number): Place => ({
  project,
  kind: 'payload',
  id: payloadId(id, version),
})

/** The place of a pending order's passphrase. */
export const passphrasePlace = (project: string, id: string): Place => ({ project, kind: 'passphrase', id })

/** Where a private key of a certificate authority is sealed. */
export const authorityPlace = (project: string, kind: 'root' | 'issuing', id: string): Place => ({
  project,
  kind: `${kind} key`,
  id,
})
