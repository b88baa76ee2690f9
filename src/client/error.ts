import type { Refused } from './contract.ts'

/** The failure of a call. `message` never contains a token or a payload. */
export class KeyManagerError extends Error {
  override readonly name = 'KeyManagerError'
  /** The status that HTTP has for the failure; 0 if no answer was received. */
  readonly status: number
  /**
   * The service's name of the failure, such as `secretNotFound`. HTTP carries none, so that there it follows from the
   * status: `invalid`, `unauthenticated`, `notPermitted`, `secretNotFound`, `tooManyRequests` or `unexpected`. The client
   * itself adds `unreachable`, `deadline`, `aborted`, `notText`, `notKey` and `missing`.
   */
  readonly failure: string
  /** Of `require`: the names that have no value. */
  readonly missing: readonly string[]

  constructor({ status, failure, description }: Omit<Refused, 'ok'>, cause?: unknown, missing: readonly string[] = []) {
    super(description, cause === undefined ? undefined : { cause })
    this.status = status
    this.failure = failure
    this.missing = missing
  }
}

/** Returns an error of the client itself, which no answer of the service caused. */
export const ownError = (failure: string, description: string, cause?: unknown): KeyManagerError =>
  new KeyManagerError({ status: 0, failure, description }, cause)
