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

/** The methods of the entrypoint `KeyManager`. A ref is the id of a secret, or an href that ends with it. */
export interface KeyManagerBinding {
  /** Says whether the caller is known and the service can answer. */
  ready(options?: LookUp): Promise<Answered<Ready>>
  payload(ref: string, options?: LookUp): Promise<Answered<Payload>>
  /** The payload of the newest secret of that name in the caller's project that has one and that the caller may read. */
  payloadByName(name: string, options?: LookUp): Promise<Answered<Payload>>
  /** The payloads of at most 50 secrets, in the order of the refs. */
  payloads(refs: readonly string[], options?: LookUp): Promise<Answered<readonly Answered<Payload>[]>>
  secret(ref: string, options?: LookUp): Promise<Answered<Metadata>>
}
