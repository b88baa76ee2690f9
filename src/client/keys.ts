/**
 * `portcullis/client/keys`: the use of keys that stay in the service, over the transports of `portcullis/client`. Uses
 * change nothing, so they are repeated like look-ups.
 */
import type {
  Answered,
  EncryptionOptions,
  ItemOf,
  KeyUse,
  KeyView,
  MacOptions,
  RewrapOptions,
  ResultOf,
  SignatureOptions,
} from './contract.ts'
import { KeyManagerError, ownError } from './error.ts'
import type { CallOptions, KeyManagerClient } from './index.ts'
import { fromKeyJson, toKeyJson } from './key-json.ts'
import type { Answer } from './runtime.ts'
import { failureName, idOf } from './transport.ts'

/** Uses of keys by their refs. Every method throws {@link KeyManagerError}, and nothing else. */
export interface KeyUser {
  /** What can be told about a key: its version, its public half, and what the caller may do with it now. */
  describe(ref: string, options?: CallOptions): Promise<KeyView>
  /** Uses a key once. */
  use<Name extends KeyUse>(use: Name, ref: string, item: ItemOf<Name>, options?: CallOptions): Promise<ResultOf<Name>>
  /** Uses a key at most 100 times (an RSA key 10 times), in the order of the items; one that fails has a failure. */
  batch<Name extends KeyUse>(
    use: Name,
    ref: string,
    items: readonly ItemOf<Name>[],
    options?: CallOptions,
  ): Promise<readonly Answered<ResultOf<Name>>[]>
  encrypt(ref: string, item: ItemOf<'encrypt'>, options?: CallOptions): Promise<ResultOf<'encrypt'>>
  decrypt(ref: string, item: ItemOf<'decrypt'>, options?: CallOptions): Promise<ResultOf<'decrypt'>>
  sign(ref: string, item: ItemOf<'sign'>, options?: CallOptions): Promise<ResultOf<'sign'>>
  verify(ref: string, item: ItemOf<'verify'>, options?: CallOptions): Promise<ResultOf<'verify'>>
  /** A handle of a key. Nothing is sent. */
  handle(ref: string): KeyHandle
}

/** A key that stays in the service, used as a `CryptoKey` is: bytes in, bytes out. */
export interface KeyHandle {
  describe(options?: CallOptions): Promise<KeyView>
  encrypt(plaintext: Uint8Array, how?: EncryptionOptions, options?: CallOptions): Promise<Uint8Array>
  decrypt(ciphertext: Uint8Array, how?: EncryptionOptions, options?: CallOptions): Promise<Uint8Array>
  rewrap(ciphertext: Uint8Array, how?: RewrapOptions, options?: CallOptions): Promise<Uint8Array>
  sign(input: Uint8Array, how?: SignatureOptions, options?: CallOptions): Promise<Uint8Array>
  verify(signature: Uint8Array, input: Uint8Array, how?: SignatureOptions, options?: CallOptions): Promise<boolean>
  /** A code of the input, by a key for codes. */
  mac(input: Uint8Array, how: Omit<MacOptions, 'mac'>, options?: CallOptions): Promise<Uint8Array>
}

/** A result of a batch over HTTP. */
type Result<Name extends KeyUse> = ResultOf<Name> & {
  readonly error?: { readonly code: number; readonly description: string }
}

function answered<Name extends KeyUse>(result: Result<Name>): Answered<ResultOf<Name>> {
  if (!result.error) return { ok: true, value: result }
  const { code: status, description } = result.error
  return { ok: false, status, failure: failureName(status), description }
}

class User implements KeyUser {
  readonly #keys: KeyManagerClient

  constructor(keys: KeyManagerClient) {
    this.#keys = keys
  }

  describe(ref: string, options?: CallOptions): Promise<KeyView> {
    const read = async (answer: Answer): Promise<KeyView> => fromKeyJson(await answer.text()).key
    return this.#keys.ask(options, ({ through }, look, signal) =>
      'binding' in through
        ? through.binding.describeKey(ref, look)
        : through.askAt(`${idOf(ref)}/key`, look, signal, read),
    )
  }

  batch<Name extends KeyUse>(
    use: Name,
    ref: string,
    items: readonly ItemOf<Name>[],
    options?: CallOptions,
  ): Promise<readonly Answered<ResultOf<Name>>[]> {
    const read = async (answer: Answer): Promise<readonly Answered<ResultOf<Name>>[]> =>
      fromKeyJson(await answer.text()).results.map(answered<Name>)
    return this.#keys.ask(options, ({ through }, look, signal) =>
      'binding' in through
        ? through.binding.batch(ref, use, items, look)
        : through.askAt(`${idOf(ref)}/${use}`, look, signal, read, toKeyJson({ batch: items })),
    )
  }

  async use<Name extends KeyUse>(
    use: Name,
    ref: string,
    item: ItemOf<Name>,
    options?: CallOptions,
  ): Promise<ResultOf<Name>> {
    const [only] = await this.batch(use, ref, [item], options)
    if (only?.ok) return only.value
    throw only ? new KeyManagerError(only) : ownError('unexpected', 'The service answered without a result.')
  }

  encrypt(ref: string, item: ItemOf<'encrypt'>, options?: CallOptions): Promise<ResultOf<'encrypt'>> {
    return this.use('encrypt', ref, item, options)
  }

  decrypt(ref: string, item: ItemOf<'decrypt'>, options?: CallOptions): Promise<ResultOf<'decrypt'>> {
    return this.use('decrypt', ref, item, options)
  }

  sign(ref: string, item: ItemOf<'sign'>, options?: CallOptions): Promise<ResultOf<'sign'>> {
    return this.use('sign', ref, item, options)
  }

  verify(ref: string, item: ItemOf<'verify'>, options?: CallOptions): Promise<ResultOf<'verify'>> {
    return this.use('verify', ref, item, options)
  }

  handle(ref: string): KeyHandle {
    return {
      describe: (options) => this.describe(ref, options),
      encrypt: async (plaintext, how, options) => (await this.encrypt(ref, { ...how, plaintext }, options)).ciphertext,
      decrypt: async (ciphertext, how, options) => (await this.decrypt(ref, { ...how, ciphertext }, options)).plaintext,
      rewrap: async (ciphertext, how, options) =>
        (await this.use('rewrap', ref, { ...how, ciphertext }, options)).ciphertext,
      sign: async (input, how, options) => (await this.sign(ref, { ...how, input }, options)).signature,
      verify: async (signature, input, how, options) =>
        (await this.verify(ref, { ...how, input, signature }, options)).valid,
      mac: async (input, how, options) => {
        const { mac } = await this.use('mac', ref, { ...how, input }, options)
        if (mac) return mac
        throw ownError('unexpected', 'The service answered without a code.')
      },
    }
  }
}

/** Returns the uses of keys that this client may use. */
export const keyUser = (keys: KeyManagerClient): KeyUser => new User(keys)
