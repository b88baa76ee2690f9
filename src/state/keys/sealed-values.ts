/** The sealed columns of all tables, and the place to which each sealed value is bound. */
import type { Place } from '../../crypto/envelope.ts'
import { certificateAuthorities, orders, secrets } from '../schema/resources.ts'

/**
 * Whose key authenticates rows; it is wrapped like the keys of projects, and never superseded. No project has this id:
 * those of projects have no spaces.
 */
export const ROW_KEYS_OWNER = 'row authentication'

/**
 * Every table with sealed columns: the names of the columns in drizzle's schema, and the kinds that keep the values of one
 * id apart. The key of the row's project, `store` and `key_version` seals them.
 */
export const sealedTables = [
  {
    table: secrets,
    name: 'secrets',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'payload' },
  },
  {
    table: orders,
    name: 'orders',
    columns: { sealed: 'sealed' },
    kinds: { sealed: 'passphrase' },
  },
  {
    table: certificateAuthorities,
    name: 'certificate_authorities',
    columns: { root_sealed: 'rootSealed', issuing_sealed: 'issuingSealed' },
    kinds: { root_sealed: 'root key', issuing_sealed: 'issuing key' },
  },
] as const

export type SealedTable = (typeof sealedTables)[number]

/** The place of a secret's payload. */
export const payloadPlace = (project: string, id: string): Place => ({ project, kind: 'payload', id })

/** The place of a pending order's passphrase. */
export const passphrasePlace = (project: string, id: string): Place => ({ project, kind: 'passphrase', id })

/** Where a private key of a certificate authority is sealed. */
export const authorityPlace = (project: string, kind: 'root' | 'issuing', id: string): Place => ({
  project,
  kind: `${kind} key`,
  id,
})
