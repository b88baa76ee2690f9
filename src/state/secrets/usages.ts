/**
 * What the payload of a secret may be used for as a key: usages of one family, because a key has one purpose (NIST SP
 * 800-57 part 1 revision 5, section 5.2). Only the secret's type and algorithm count; `mode` and `bit_length` are labels.
 */
import type { KeyOperation, UseColumns } from '../entities.ts'

export const usageNames = ['encrypt', 'decrypt', 'sign', 'verify', 'mac'] as const
export type Usage = (typeof usageNames)[number]

const families: readonly (readonly Usage[])[] = [['encrypt', 'decrypt'], ['sign', 'verify'], ['mac']]

/** Reports whether all usages are of one family. */
export const areOfOneFamily = (usages: readonly Usage[]): boolean =>
  families.some((family) => usages.every((usage) => family.includes(usage)))

/** The usages that an operation needs. */
export const usagesOf: Readonly<Record<KeyOperation, readonly Usage[]>> = {
  encrypt: ['encrypt'],
  decrypt: ['decrypt'],
  rewrap: ['encrypt', 'decrypt'],
  datakey: ['encrypt'],
  sign: ['sign'],
  verify: ['verify'],
  mac: ['mac'],
}

/** The properties of a secret that decide what its key can do. */
interface Kind {
  readonly secretType: string
  readonly algorithm: string | null
}

/** Ciphers whose blocks or keys are too short, in lower case: nothing is encrypted under a key that is named after one. */
const weakCiphers = new Set(['des', '3des', 'desede', 'tripledes', 'rc4', 'arc4', 'blowfish'])

const algorithmOf = ({ algorithm }: Kind) => algorithm?.toLowerCase() ?? ''

/** Everything that a key of this kind can be made for. An RSA key may be for encryption, which its payload decides. */
export function possibleUsages(kind: Kind): readonly Usage[] {
  switch (kind.secretType) {
    case 'symmetric':
      return weakCiphers.has(algorithmOf(kind)) ? ['mac'] : ['encrypt', 'decrypt', 'mac']
    case 'private':
      return ['encrypt', 'decrypt', 'sign', 'verify']
    case 'public':
    case 'certificate':
      return ['encrypt', 'verify']
    default:
      return []
  }
}

/** What a key of this kind is for, if nothing else was asked for. */
function defaultUsages(kind: Kind): readonly Usage[] {
  const family = kind.secretType !== 'symmetric' ? families[1] : families[algorithmOf(kind).startsWith('hmac') ? 2 : 0]
  const possible = possibleUsages(kind)
  return family?.filter((usage) => possible.includes(usage)) ?? []
}

/** What the key of a secret may be used for. */
export function usagesOfSecret(secret: Kind & Pick<UseColumns, 'usages'>): readonly Usage[] {
  return secret.usages === null ? defaultUsages(secret) : (JSON.parse(secret.usages) as Usage[])
}

/** Reports whether the usages of a secret allow an operation. */
export function allowsOperation(secret: Kind & Pick<UseColumns, 'usages'>, operation: KeyOperation): boolean {
  const usages = usagesOfSecret(secret)
  return usagesOf[operation].every((usage) => usages.includes(usage))
}

/** Reports whether the payload of a secret can be read, by whoever the access rules let. */
export const isExtractable = ({ extractable }: Pick<UseColumns, 'extractable'>): boolean => extractable !== false

/** The stored form of usages: sorted and each once. */
export const storedUsages = (usages: readonly Usage[]): string => JSON.stringify([...new Set(usages)].toSorted())
