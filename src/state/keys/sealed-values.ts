/** The sealed columns of all tables, and the place to which each sealed value is bound. */
import type { Place } from '../../crypto/envelope.ts'
import { certificateAuthorities, orders, secrets } from '../schema/resources.ts'

/**
 * The owner of the key that seals private keys of certificate authorities. It contains a space, which ids of projects
 * do not, so it is never the id of a project.
 */
export const AUTHORITY_OWNER = 'certificate authority'
/** The owner of the key that authenticates rows. The key is wrapped like a project key and never superseded. */
export const ROW_KEYS_OWNER = 'row authentication'

/**
 * The tables with sealed columns. `columns` maps the columns to their names in drizzle's schema, `kinds` to the kinds
 * that distinguish the values of one row. `project` is an SQL expression on a row with the alias `sealed_row`; it
 * yields the project whose key seals the values, with the row's `store` and `key_version`.
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

/** The place of a secret's payload. */
export const payloadPlace = (project: string, id: string): Place => ({ project, kind: 'payload', id })

/** The place of a pending order's passphrase. */
export const passphrasePlace = (project: string, id: string): Place => ({ project, kind: 'passphrase', id })

/** The place of a private key of a certificate authority. */
export const authorityPlace = (kind: 'root' | 'issuing', id: string): Place => ({
  project: AUTHORITY_OWNER,
  kind: `${kind} key`,
  id,
})
