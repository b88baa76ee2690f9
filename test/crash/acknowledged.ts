/** What the service acknowledged to the traffic of the crash test. */

/** The name of the secrets that are stored without an order. */
export const STORED = 'stored'

/** What was encrypted, all in base64. */
export interface Encrypted {
  readonly plaintext: string
  readonly ciphertext: string
}

/** What the service acknowledged of one secret that has versions. */
export interface KnownVersions {
  /** The payload of each acknowledged version, in base64; null for a key that the service made. */
  readonly payloads: Map<number, string | null>
  /** Ciphertexts under the versions of a key. */
  readonly encrypted: Encrypted[]
}

export interface PlacedOrder {
  readonly type: string
  readonly name: string
  /** When it was placed or last updated, in milliseconds. */
  readonly accepted: number
}

/** What the service acknowledged, which must survive any crash, and what was to be deleted. */
export interface Acknowledged {
  /** Payload of each stored secret, in base64, by ref. */
  readonly secrets: Map<string, string>
  /** Orders that have not been observed as finished. */
  readonly orders: Map<string, PlacedOrder>
  /** Orders that have been observed as finished, with the ref of their result; empty for ERROR. */
  readonly ended: Map<string, PlacedOrder & { readonly result: string }>
  /**
   * What may exist without its owner, because the deletion of the owner was requested: ids, and the names of orders.
   */
  readonly released: Set<string>
  /** Refs of changed resources, by action; for a revocation, the ref of the certificate's container. */
  readonly changed: Readonly<Record<'create' | 'update' | 'delete' | 'revoke', Set<string>>>
  /** Secrets that have versions, by ref. */
  readonly versions: Map<string, KnownVersions>
  /** The number of reads during the writes. */
  reads: number
}

export const nothing = (): Acknowledged => ({
  secrets: new Map(),
  orders: new Map(),
  ended: new Map(),
  released: new Set(),
  changed: { create: new Set(), update: new Set(), delete: new Set(), revoke: new Set() },
  versions: new Map(),
  reads: 0,
})
