/** What can be done with keys for signatures and codes: `sign`, `verify` and `mac`. */
import { isMac, mac, type MacName } from '../../crypto/transit/macs.ts'
import { sign, signatureAlgorithm, verify, type SignatureOptions } from '../../crypto/transit/signatures.ts'
import { fault } from '../../faults.ts'
import type { KeyInUse } from '../../state/secrets/used-keys.ts'
import type { Bytes, Use } from './uses.ts'

interface Versioned {
  readonly version: number | undefined
}
type Signing = SignatureOptions & Versioned & { readonly input: Bytes }

const askedVersion = ({ version }: Versioned) => version

/** The key pair and the algorithm for an item. Throws `notSigned` if the options are not for this key. */
async function chosenFor({ current, at }: KeyInUse, item: Signing) {
  const key = item.version === undefined ? current : await at(item.version)
  if (key.kind !== 'pair') throw fault('keyKind', 'it does not sign')
  const algorithm = signatureAlgorithm(key.pair, item, item.input)
  if (typeof algorithm === 'string') throw fault('notSigned', algorithm)
  return { key, pair: key.pair, algorithm }
}

export const signature: Use<Signing, { readonly signature: Uint8Array; readonly algorithm: string }> = {
  name: 'Signature',
  operation: 'sign',
  versionOf: askedVersion,
  async run(inUse, item) {
    const { key, pair, algorithm } = await chosenFor(inUse, item)
    return { key, members: { signature: await sign(pair, algorithm, item.input, item), algorithm: algorithm.name } }
  },
}

export const verification: Use<Signing & { readonly signature: Bytes }, { readonly valid: boolean }> = {
  name: 'Verification',
  operation: 'verify',
  versionOf: askedVersion,
  async run(inUse, item) {
    const { key, pair, algorithm } = await chosenFor(inUse, item)
    return { key, members: { valid: await verify(pair, algorithm, item.input, item.signature, item) } }
  },
}

interface Authentication extends Versioned {
  readonly input: Bytes
  readonly algorithm: MacName
  /** A code to be verified; null: one is made. */
  readonly code: Bytes | null
}

export const authentication: Use<
  Authentication,
  { readonly mac?: Uint8Array | undefined; readonly valid?: boolean | undefined }
> = {
  name: 'Message authentication',
  operation: 'mac',
  versionOf: askedVersion,
  async run({ current, at }, { algorithm, version, input, code }) {
    const key = version === undefined ? current : await at(version)
    if (key.kind !== 'mac') throw fault('keyKind', 'it makes no codes')
    const members = code
      ? { valid: await isMac(key.keys, algorithm, input, code) }
      : { mac: await mac(key.keys, algorithm, input) }
    return { key, members }
  },
}
