/** What is kept sealed: which columns of which tables, and the place that each value is bound to. */
import type { Place } from '../../crypto/envelope.ts'
import { certificateAuthorities, orders, secrets } from '../schema/resources.ts'

/** Whose key seals the authorities' keys. No project has this id: those of projects have no spaces. */
export const AUTHORITY_OWNER = 'certificate authority'
/** Whose key authenticates rows; it is wrapped like the keys of projects, and never superseded. */
export const ROW_KEYS_OWNER = 'row authentication'

/**
 * Every table with sealed columns: the names of the columns in drizzle's schema, and the kinds that keep the values of one
 * id apart. `project` is SQL, about a row called `sealed_row`, for the project whose key seals them: the key of the row's
 * `store` and `key_version`.
 */
export const sealedTables = [
  {
    table: secrets,
    name: 'secrets',
    project: 'sealed_row.project_id',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'payload' },
  },
  {
    table: orders,
    name: 'orders',
    project: 'sealed_row.project_id',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'passphrase' },
  },
  {
    table: certificateAuthorities,
    name: 'certificate_authorities',
    project: `'${AUTHORITY_OWNER}'`,
    columns: { root_sealed: 'rootSealed', issuing_sealed: 'issuingSealed' },
    kinds: { root_sealed: 'root key', issuing_sealed: 'issuing key' },
  },
] as const

export type SealedTable = (typeof sealedTables)[number]

/** Where the payload of a secret is sealed. */
export const payloadPlace = (project: string, id: string): Place => ({ project, kind: 'payload', id })

/** Where the passphrase of a waiting order is sealed. */
export const passphrasePlace = (project: string, id: string): Place => ({ project, kind: 'passphrase', id })

/** Where a private key of a certificate authority is sealed. */
export const authorityPlace = (kind: 'root' | 'issuing', id: string): Place => ({
  project: AUTHORITY_OWNER,
  kind: `${kind} key`,
  id,
})
