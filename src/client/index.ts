/**
 * A client for look-ups of secrets, over a service binding or over HTTP. It has no dependencies, and works where there are
 * `fetch` and WebCrypto: Workers, Node, Deno and Bun. It keeps no payload.
 */
import type { Answered, KeyManagerBinding, LookUp, Metadata, Payload, Ready, Refused } from './contract.ts'
import { KeyManagerError, ownError } from './error.ts'
import { keyData, type KeyFormat } from './key-data.ts'
import { deadline, onEach, pause, runtime, unlessAborted } from './runtime.ts'
import type { Fetch, Key, KeyAlgorithmOf, KeyUsage, Signal } from './runtime.ts'
import { Tokens, type Credential } from './tokens.ts'
import { identityOf, isPassing, overHttp, throughBinding, type Transport } from './transport.ts'

export type * from './contract.ts'
export type { Credential } from './tokens.ts'
export type { Fetch, Key, KeyAlgorithmOf, KeyUsage, Signal } from './runtime.ts'
export type { KeyFormat } from './key-data.ts'
export { KeyManagerError } from './error.ts'
export type { components, operations, paths } from './api.ts'

export interface ClientOptions {
  /** The application credential to log in with. A binding whose `props` name a credential needs none. */
  readonly credential?: Credential | undefined
  /** The URL of Keystone's v3 API. The default is the embedded identity: `<url>/identity/v3`. */
  readonly identity?: string | undefined
  /** A function to use in place of the global `fetch`. */
  readonly fetch?: Fetch | undefined
  /** The deadline of a call with its log-in and all its attempts, in milliseconds; by default 10,000. */
  readonly timeout?: number | undefined
}

export interface CallOptions extends LookUp {
  readonly signal?: Signal | undefined
}

/** One attempt. It rejects only if the service could not be asked. */
export type Ask<Value> = (transport: Transport, look: LookUp, signal: Signal) => Promise<Answered<Value>>

/** A secret: its id or href as text, or its name. */
export type Wanted = string | { readonly name: string }

/** Every method throws {@link KeyManagerError}, and nothing else. */
export interface KeyManagerClient {
  /** Throws unless the caller is known and the service can answer. */
  ready(options?: CallOptions): Promise<Ready>
  payload(ref: string, options?: CallOptions): Promise<Payload>
  /** The payload of the newest secret of that name in the caller's project that has one and that the caller may read. */
  payloadByName(name: string, options?: CallOptions): Promise<Payload>
  /** The payloads of at most 50 secrets, in the order of the refs; a secret that cannot be read has a failure instead. */
  payloads(refs: readonly string[], options?: CallOptions): Promise<readonly Answered<Payload>[]>
  secret(ref: string, options?: CallOptions): Promise<Metadata>
  /** The payload as text; throws `notText` if it is not UTF-8. */
  text(wanted: Wanted, options?: CallOptions): Promise<string>
  /**
   * Imports the payload into WebCrypto, not extractable. `format` is by default that of the payload: PKCS#8 or
   * SubjectPublicKeyInfo in PEM, PKCS#8 in DER if the type says so, and otherwise `raw`. Throws `notKey`.
   */
  key(
    wanted: Wanted,
    algorithm: KeyAlgorithmOf,
    usages: readonly KeyUsage[],
    options?: CallOptions & { readonly format?: KeyFormat | undefined },
  ): Promise<Key>
  /**
   * Returns the text of all these secrets, each by its name, or by `{ ref }`. Throws one `missing` that names every one
   * that there is no value for, and why: for the start of an application.
   */
  require<Name extends string>(
    wanted: Readonly<Record<Name, string | { readonly ref: string }>>,
    options?: CallOptions,
  ): Promise<Record<Name, string>>
  /** For `portcullis/client/keys`: asks with the log-in, deadline and attempts that every method has. */
  ask<Value>(options: CallOptions | undefined, ask: Ask<Value>): Promise<Value>
}

/** In milliseconds. */
const TIMEOUT = 10_000
/** The longest pauses before the second and the third attempt, of which a random part is waited. In milliseconds. */
const PAUSES = [200, 800]
/** The service's own limit. */
const MOST_REFS = 50

class Client implements KeyManagerClient {
  readonly #transport: Transport
  readonly #tokens: Tokens | null
  readonly #timeout: number

  constructor(transport: Transport, tokens: Tokens | null, timeout: number) {
    this.#transport = transport
    this.#tokens = tokens
    this.#timeout = timeout
  }

  ready(options?: CallOptions): Promise<Ready> {
    return this.ask(options, (transport, ...how) => transport.ready(...how))
  }

  payload(ref: string, options?: CallOptions): Promise<Payload> {
    return this.ask(options, (transport, ...how) => transport.payload(ref, ...how))
  }

  payloadByName(name: string, options?: CallOptions): Promise<Payload> {
    return this.ask(options, (transport, ...how) => transport.payloadByName(name, ...how))
  }

  async payloads(refs: readonly string[], options?: CallOptions): Promise<readonly Answered<Payload>[]> {
    if (refs.length > MOST_REFS) throw ownError('invalid', `at most ${MOST_REFS} refs`)
    return this.ask(options, (transport, ...how) => transport.payloads(refs, ...how))
  }

  secret(ref: string, options?: CallOptions): Promise<Metadata> {
    return this.ask(options, (transport, ...how) => transport.secret(ref, ...how))
  }

  async text(wanted: Wanted, options?: CallOptions): Promise<string> {
    const { bytes } = await this.#payloadOf(wanted, options)
    try {
      return new runtime.TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch (error) {
      throw ownError('notText', 'The payload is not text in UTF-8.', error)
    } finally {
      bytes.fill(0)
    }
  }

  async key(
    wanted: Wanted,
    algorithm: KeyAlgorithmOf,
    usages: readonly KeyUsage[],
    { format: given, ...options }: CallOptions & { readonly format?: KeyFormat | undefined } = {},
  ): Promise<Key> {
    const payload = await this.#payloadOf(wanted, options)
    const { format, data } = keyData(payload, given)
    try {
      return await runtime.crypto.subtle.importKey(format, data, algorithm, false, usages)
    } catch (error) {
      throw ownError('notKey', `The payload is not a key of this algorithm in the format ${format}.`, error)
    } finally {
      data.fill(0)
      payload.bytes.fill(0)
    }
  }

  async require<Name extends string>(
    wanted: Readonly<Record<Name, string | { readonly ref: string }>>,
    options?: CallOptions,
  ): Promise<Record<Name, string>> {
    const names = Object.keys(wanted) as Name[]
    const found = await onEach(names, async (name) => {
      const given = wanted[name]
      try {
        return await this.text(typeof given === 'string' ? { name: given } : given.ref, options)
      } catch (error) {
        return error as KeyManagerError
      }
    })
    const failed = found.flatMap((value, at) => (typeof value === 'string' ? [] : [{ name: names[at] as Name, value }]))
    const [first] = failed
    if (first) {
      const description = failed.map(({ name, value }) => `${name}: ${value.message}`).join('; ')
      const { status } = first.value
      const missing = failed.map(({ name }) => name)
      throw new KeyManagerError({ status, failure: 'missing', description }, first.value, missing)
    }
    return Object.fromEntries(found.map((value, at) => [names[at], value])) as Record<Name, string>
  }

  #payloadOf(wanted: Wanted, options?: CallOptions): Promise<Payload> {
    return typeof wanted === 'string' ? this.payload(wanted, options) : this.payloadByName(wanted.name, options)
  }

  /** Asks until there is an answer that will not pass, at most once for each pause and once more. */
  async ask<Value>({ signal, ...look }: CallOptions = {}, ask: Ask<Value>): Promise<Value> {
    const ends = Date.now() + this.#timeout
    const until = deadline(this.#timeout, signal)
    let renewed = false
    for (let attempt = 0; ; attempt += 1) {
      const tokens = look.token === undefined ? this.#tokens : null
      const { outcome, token, cause } = await this.#attempt(tokens, look, until, ask)
      if (outcome.ok) return outcome.value
      if (until.aborted) {
        if (signal?.aborted) throw ownError('aborted', 'The call was aborted.', cause)
        throw ownError('deadline', `There was no answer within ${this.#timeout} ms: ${outcome.description}`, cause)
      }
      if (outcome.status === 401 && tokens && token !== undefined && !renewed) {
        renewed = true
        tokens.forget(token)
        attempt -= 1
        continue
      }
      const most = PAUSES[attempt]
      const wait = Math.max((outcome.retryAfter ?? 0) * 1000, Math.random() * (most ?? 0))
      if (most === undefined || !isPassing(outcome) || Date.now() + wait >= ends) {
        throw new KeyManagerError(outcome, cause)
      }
      await pause(wait, until).catch(() => undefined)
    }
  }

  async #attempt<Value>(tokens: Tokens | null, look: LookUp, until: Signal, ask: Ask<Value>) {
    let token: string | undefined
    try {
      token = tokens ? await unlessAborted(tokens.current(until), until) : undefined
      const asked = ask(this.#transport, token === undefined ? look : { ...look, token }, until)
      const outcome = await unlessAborted(asked, until)
      return { outcome, token, cause: undefined }
    } catch (error) {
      const { status = 0, failure = 'unreachable' } = error instanceof KeyManagerError ? error : {}
      const description = error instanceof KeyManagerError ? error.message : 'The key manager cannot be reached.'
      const said = error instanceof KeyManagerError ? (error.cause as Refused) : null
      const outcome: Refused = { ...said, ok: false, status, failure, description }
      return { outcome, token, cause: error }
    }
  }
}

/**
 * Returns a client of the service behind a service binding (`env.KEYS`), or at a URL (`https://keys.example`, without
 * `/v1`). Nothing is sent before the first call. Throws {@link KeyManagerError} (`invalid`) if there is no binding, for a
 * text that is no URL, and for a URL without a credential or an identity.
 */
export function keyManager(target: string | object, options: ClientOptions = {}): KeyManagerClient {
  const { credential, identity, timeout = TIMEOUT } = options
  // The global function must not be called as a method of another object.
  const fetch: Fetch = options.fetch ?? ((url, init) => runtime.fetch(url, init))
  if (typeof target !== 'string') {
    if (!target) throw ownError('invalid', 'There is no such service binding.')
    if (credential && !identity) throw ownError('invalid', 'A credential for a binding needs the URL of its identity.')
    const tokens = credential && identity ? new Tokens(fetch, identityOf(identity), credential) : null
    return new Client(throughBinding(target as KeyManagerBinding), tokens, timeout)
  }
  if (!runtime.URL.canParse(target)) throw ownError('invalid', 'The target is neither a binding nor a URL.')
  const base = target.replace(/\/+$/, '').replace(/\/v1$/, '')
  const keystone = identityOf(identity ?? `${base}/identity`)
  const tokens = credential ? new Tokens(fetch, keystone, credential) : null
  return new Client(overHttp(base, keystone, fetch), tokens, timeout)
}
