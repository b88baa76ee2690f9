/**
 * What crosses the service binding `KeyManager`: its methods and their answers, all of plain data. Methods are only ever
 * added and answers only gain members, because the two Workers are deployed at different times. An error that crosses a
 * binding keeps its properties only if both Workers have a recent compatibility date, so failures are answers as well.
 */

/** How a look-up is made. Without an option the answer may be as old as the deployment's bound allows. */
export interface LookUp {
  /** Ask the primary database, whatever the bound is. */
  readonly fresh?: boolean | undefined
  /** The greatest age of the answer that the caller accepts, in whole seconds. */
  readonly maxAge?: number | undefined
  /** A bookmark (`X-D1-Bookmark` of an earlier response): the answer is of this state of the database or a later one. */
  readonly since?: string | undefined
  /** The token that authenticates this call, instead of the credential that is configured. */
  readonly token?: string | undefined
}

export interface Payload {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The media type, without parameters. */
  readonly type: string
  /** The id of the secret. */
  readonly id: string
  /** The answer contains every change that was acknowledged before this time (RFC 3339, UTC). */
  readonly asOf: string
}

/** A secret without its payload. Times are RFC 3339 in UTC. */
export interface Metadata {
  readonly id: string
  readonly name: string | null
  /** `symmetric`, `passphrase`, `private`, `public`, `certificate` or `opaque`. */
  readonly secretType: string
  /** The media type of the payload; null if the secret has no payload yet. */
  readonly type: string | null
  readonly algorithm: string | null
  readonly bitLength: number | null
  readonly mode: string | null
  readonly expiration: string | null
  readonly created: string
  readonly updated: string
  readonly creator: string | null
  /** As in {@link Payload}. */
  readonly asOf: string
}

export interface Ready {
  /** The project whose secrets the caller looks up. */
  readonly project: string
  /** The greatest age of an answer, in seconds; 0: each is read from the primary. Null: HTTP does not tell. */
  readonly bound: number | null
  readonly version: 1
}

export interface Refused {
  readonly ok: false
  /** The status that HTTP has for this failure; 0: the service could not be asked. */
  readonly status: number
  /** The name of the failure, such as `secretNotFound`. */
  readonly failure: string
  readonly description: string
  /** After so many seconds it is worth another attempt. */
  readonly retryAfter?: number | undefined
}

export type Answered<Value> = { readonly ok: true; readonly value: Value } | Refused

/** Names of JOSE. A key pair of an elliptic curve has one algorithm, so that only RSA needs to name one. */
export type SignatureAlgorithm =
  'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'
export type MacAlgorithm = 'HS256' | 'HS384' | 'HS512'
/** For RSA keys alone; the default is `RSA-OAEP-256`. */
export type EncryptionAlgorithm = 'RSA-OAEP' | 'RSA-OAEP-256' | 'RSA-OAEP-384' | 'RSA-OAEP-512'

export interface UseOptions {
  /** A version of the key; the default is the current one, or the one that a ciphertext names. */
  readonly keyVersion?: number | undefined
}

export interface EncryptionOptions extends UseOptions {
  /** Bytes that are authenticated and not stored: the ciphertext opens only with the same ones. */
  readonly context?: Uint8Array | undefined
  readonly algorithm?: EncryptionAlgorithm | undefined
}

export interface RewrapOptions extends EncryptionOptions {
  /** The context of the new ciphertext; the default is that of the old one. */
  readonly newContext?: Uint8Array | undefined
}

export interface DataKeyOptions extends EncryptionOptions {
  /** The default is 256. */
  readonly bits?: 128 | 256 | 512 | undefined
  /** False: the answer has the data key encrypted alone. */
  readonly plaintext?: boolean | undefined
}

export interface SignatureOptions extends UseOptions {
  readonly algorithm?: SignatureAlgorithm | undefined
  /** Of RSA: the input is a digest already. */
  readonly prehashed?: boolean | undefined
  /** Of elliptic curves: `der`, the default, or `raw`, as JOSE has it. */
  readonly format?: 'der' | 'raw' | undefined
}

export interface MacOptions extends UseOptions {
  readonly algorithm: MacAlgorithm
  /** A code to verify; without it one is made. */
  readonly mac?: Uint8Array | undefined
}

interface Sealed {
  readonly ciphertext: Uint8Array
}

/** The uses of a key: what an item asks, and what it gives. Names are those of the API; bytes are bytes. */
export interface KeyUses {
  encrypt: { item: EncryptionOptions & { readonly plaintext: Uint8Array }; result: Sealed }
  decrypt: { item: EncryptionOptions & Sealed; result: { readonly plaintext: Uint8Array } }
  /** Encrypts what a ciphertext contains again, under the current version of the key. */
  rewrap: { item: RewrapOptions & Sealed; result: Sealed }
  datakey: { item: DataKeyOptions; result: Sealed & { readonly plaintext?: Uint8Array | undefined } }
  sign: {
    item: SignatureOptions & { readonly input: Uint8Array }
    result: { readonly signature: Uint8Array; readonly algorithm: string }
  }
  verify: {
    item: SignatureOptions & { readonly input: Uint8Array; readonly signature: Uint8Array }
    result: { readonly valid: boolean }
  }
  mac: {
    item: MacOptions & { readonly input: Uint8Array }
    result: { readonly mac?: Uint8Array | undefined; readonly valid?: boolean | undefined }
  }
}
export type KeyUse = keyof KeyUses
export type ItemOf<Name extends KeyUse> = KeyUses[Name]['item']
/** A result with the version of the key that made it. `keyId` is never given to another version. */
export type ResultOf<Name extends KeyUse> = KeyUses[Name]['result'] & {
  readonly keyId: string
  readonly keyVersion: number
}

/** What can be told about the current version of a key. */
export interface KeyView {
  readonly keyId: string
  readonly version: number
  /** `aes`, `hmac`, `rsa`, or a curve; null if the payload is no key. */
  readonly algorithm: string | null
  readonly bitLength: number | null
  readonly extractable: boolean
  readonly usages: readonly string[]
  /** What the caller may do with it now. */
  readonly operations: readonly KeyUse[]
  /** SubjectPublicKeyInfo in PEM; null if the key is no pair. */
  readonly publicKey: string | null
}

type UseMethods = {
  readonly [Name in KeyUse]: (ref: string, item: ItemOf<Name>, options?: LookUp) => Promise<Answered<ResultOf<Name>>>
}

/** The methods of the entrypoint `KeyManager`. A ref is the id of a secret, or an href that ends with it. */
export interface KeyManagerBinding extends UseMethods {
  /** Says whether the caller is known and the service can answer. */
  ready(options?: LookUp): Promise<Answered<Ready>>
  payload(ref: string, options?: LookUp): Promise<Answered<Payload>>
  /** The payload of the newest secret of that name in the caller's project that has one and that the caller may read. */
  payloadByName(name: string, options?: LookUp): Promise<Answered<Payload>>
  /** The payloads of at most 50 secrets, in the order of the refs. */
  payloads(refs: readonly string[], options?: LookUp): Promise<Answered<readonly Answered<Payload>[]>>
  secret(ref: string, options?: LookUp): Promise<Answered<Metadata>>
  describeKey(ref: string, options?: LookUp): Promise<Answered<KeyView>>
  /** Uses a key at most 100 times (10 times for RSA), in the order of the items. */
  batch<Name extends KeyUse>(
    ref: string,
    use: Name,
    items: readonly ItemOf<Name>[],
    options?: LookUp,
  ): Promise<Answered<readonly Answered<ResultOf<Name>>[]>>
}
