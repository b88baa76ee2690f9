/** Tokens: log-in with an application credential at Keystone or the embedded identity, and renewal ahead of the end. */
import { KeyManagerError } from './error.ts'
import { deadline, sharesPromises, type Fetch, type Signal } from './runtime.ts'
import { failureOf } from './transport.ts'

export interface Credential {
  readonly id: string
  readonly secret: string
}

/** The part of a token's life after which it is renewed, and that between attempts to renew it. */
const RENEWAL = 0.8
const BETWEEN_RENEWALS = 0.05
/** Log-ins that several calls wait for end after so many milliseconds, whatever the deadlines of these calls are. */
const LOG_IN_MILLISECONDS = 10_000

interface Token {
  readonly text: string
  /** Its life, and times of this machine's clock, in milliseconds. */
  readonly life: number
  readonly ends: number
  renewAt: number
}

export class Tokens {
  readonly #fetch: Fetch
  readonly #identity: string
  readonly #credential: Credential
  #token: Token | null = null
  #logIn: Promise<Token> | null = null

  constructor(fetch: Fetch, identity: string, { id, secret }: Credential) {
    this.#fetch = fetch
    this.#identity = identity
    this.#credential = { id, secret }
  }

  /**
   * Returns a valid token. Of the calls that see that it should be renewed, one renews it, and the others go on with the
   * old one. Throws {@link KeyManagerError} if the log-in is refused, and what `fetch` throws.
   */
  async current(signal: Signal): Promise<string> {
    const token = this.#token
    const now = Date.now()
    if (!token || now >= token.ends) return (await this.#first(signal)).text
    if (now < token.renewAt) return token.text
    token.renewAt = now + token.life * BETWEEN_RENEWALS
    try {
      return (await this.#request(signal)).text
    } catch {
      return token.text
    }
  }

  /** Forgets a token that the service refuses, unless another one has taken its place. */
  forget(text: string): void {
    if (this.#token?.text === text) this.#token = null
  }

  #first(signal: Signal): Promise<Token> {
    if (!sharesPromises()) return this.#request(signal)
    this.#logIn ??= this.#request(deadline(LOG_IN_MILLISECONDS, undefined)).finally(() => (this.#logIn = null))
    return this.#logIn
  }

  async #request(signal: Signal): Promise<Token> {
    const asked = Date.now()
    const identity = { methods: ['application_credential'], application_credential: this.#credential }
    const answer = await this.#fetch(`${this.#identity}/auth/tokens`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ auth: { identity } }),
      redirect: 'manual',
      signal: signal as never,
    })
    const text = answer.headers.get('X-Subject-Token')
    if (answer.status !== 201 || !text) {
      const failed = await failureOf(answer)
      throw new KeyManagerError({ ...failed, description: `log-in: ${failed.description}` }, failed)
    }
    const { token } = JSON.parse(await answer.text())
    const life = Date.parse(token.expires_at) - Date.parse(token.issued_at)
    return (this.#token = { text, life, ends: asked + life, renewAt: asked + life * RENEWAL })
  }
}
