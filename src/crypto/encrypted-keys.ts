/** What opening an encrypted private key (PKCS#8, RFC 5958; PBES2, RFC 8018) would cost, before anybody opens it. */
import { decodeBase64 } from './encoding.ts'

/** Iterations of a key derivation. OpenSSL's default is 2,048; this many take some tenths of a second. */
const MOST_ITERATIONS = 1_000_000n

const BEGIN = '-----BEGIN ENCRYPTED PRIVATE KEY-----'
const KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END ENCRYPTED PRIVATE KEY-----/g

/** The integers among the parameters of the key's encryption; null when there is no such key. */
async function parametersOf(key: Uint8Array<ArrayBuffer>): Promise<bigint[] | null> {
  const { Constructed, fromBER, Integer } = await import('./x509.ts')
  const integersIn = (block: unknown): bigint[] => {
    if (block instanceof Integer) return [block.toBigInt()]
    return block instanceof Constructed ? block.valueBlock.value.flatMap(integersIn) : []
  }
  const { offset, result } = fromBER(key)
  return offset >= 0 && result instanceof Constructed ? integersIn(result.valueBlock.value[0]) : null
}

/**
 * Whether what is encrypted in a PEM text can be opened in bounded time: how often a passphrase is hashed is what the
 * sender wrote there. False also for an encrypted key that cannot be read.
 */
export async function opensInBoundedTime(pem: string): Promise<boolean> {
  const keys = [...pem.matchAll(KEY)].map(([, text = '']) => decodeBase64(text))
  if (keys.length < pem.split(BEGIN).length - 1) return false
  for (const key of keys) {
    const parameters = key && (await parametersOf(key))
    if (!parameters?.every((parameter) => parameter <= MOST_ITERATIONS)) return false
  }
  return true
}
