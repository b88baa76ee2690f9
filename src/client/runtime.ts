/**
 * The parts of the web's API that the client uses, with types of its own: it compiles for runtimes whose types differ, and
 * for consumers that have none of them.
 */

/** The part of an `AbortSignal` that every runtime's has. */
export interface Signal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** @ts-ignore Without types of a runtime there is no such type, and this one is `any`. */
type DeclaredKey = CryptoKey

/** The runtime's `CryptoKey`. Node's types declare only a variable of that name, and Cloudflare's only a class. */
export type Key = typeof globalThis extends { CryptoKey: { prototype: infer Prototype } } ? Prototype : DeclaredKey

export interface RequestOptions {
  readonly method: string
  readonly headers: Record<string, string>
  readonly redirect: 'manual'
  /** An `AbortSignal`. `never`, because it can be passed on as the type of every runtime. */
  readonly signal: never
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  arrayBuffer(): Promise<ArrayBuffer>
  text(): Promise<string>
}

/** A function like the global `fetch`. */
export type Fetch = (url: string, options: RequestOptions) => Promise<Answer>

export type KeyUsage = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'deriveKey' | 'deriveBits' | 'wrapKey' | 'unwrapKey'

/** An algorithm of WebCrypto's `importKey`: its name, or its parameters. */
export type KeyAlgorithmOf = string | { readonly name: string; readonly [parameter: string]: unknown }

interface Runtime {
  readonly fetch: Fetch
  readonly AbortSignal: {
    timeout(milliseconds: number): Signal
    any(signals: readonly Signal[]): Signal
  }
  readonly crypto: {
    readonly subtle: {
      importKey(
        format: string,
        data: Uint8Array,
        algorithm: KeyAlgorithmOf,
        extractable: boolean,
        usages: readonly KeyUsage[],
      ): Promise<Key>
    }
  }
  readonly TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string }
  readonly URL: { canParse(url: string): boolean }
  readonly navigator?: { readonly userAgent?: string }
  readonly atob: (text: string) => string
  readonly btoa: (text: string) => string
  readonly setTimeout: (run: () => void, milliseconds: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
}

export const runtime = globalThis as unknown as Runtime

/** A Worker must not wait for a promise that another request made. */
export const sharesPromises = (): boolean => runtime.navigator?.userAgent !== 'Cloudflare-Workers'

/** Settles as the promise does, or rejects when the signal is aborted before that. */
export function unlessAborted<Value>(promise: Promise<Value>, signal: Signal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Resolves after some milliseconds; rejects when the signal is aborted before that. */
export async function pause(milliseconds: number, signal: Signal): Promise<void> {
  let timer: unknown
  const elapsed = new Promise<void>((resolve) => (timer = runtime.setTimeout(resolve, milliseconds)))
  try {
    await unlessAborted(elapsed, signal)
  } finally {
    runtime.clearTimeout(timer)
  }
}

/** The signal of one deadline over everything that a call does, and of the caller's own signal. */
export function deadline(milliseconds: number, signal: Signal | undefined): Signal {
  const timeout = runtime.AbortSignal.timeout(milliseconds)
  return signal ? runtime.AbortSignal.any([signal, timeout]) : timeout
}

/** Runs a function on each item, at most {@link MOST_AT_ONCE} at the same time, and returns the results in order. */
export async function onEach<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async () => {
    while (next < items.length) {
      const at = next
      next += 1
      results[at] = await run(items[at] as Item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, items.length) }, work))
  return results
}

/** The connections that a Worker may have open at the same time. */
const MOST_AT_ONCE = 6
