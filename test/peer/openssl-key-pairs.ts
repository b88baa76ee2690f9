/**
 * Verifies every kind of key pair with openssl: parses and checks it, and uses it to sign and verify or for key
 * agreement.
 *
 *     node --js-base-64 test/peer/openssl-key-pairs.ts        the flag is for Node 24
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '../../src/crypto/key-pairs.ts'
import { run, runToSuccess } from './process.ts'

type Use = 'digest' | 'whole message' | 'agreement'

interface Kind {
  readonly algorithm: string
  readonly bits: number
  readonly use: Use
  /** A pattern in the output of `openssl pkey -text`. */
  readonly text: RegExp
}

const kinds: readonly Kind[] = [
  ...[1024, 2048, 3072, 4096].map((bits): Kind => ({
    algorithm: 'RSA',
    bits,
    use: 'digest',
    text: new RegExp(`Private-Key: \\(${bits} bit, 2 primes\\)[^]*publicExponent: 65537 `),
  })),
  { algorithm: 'EC', bits: 256, use: 'digest', text: /NIST CURVE: P-256/ },
  { algorithm: 'EC', bits: 384, use: 'digest', text: /NIST CURVE: P-384/ },
  { algorithm: 'ECDSA', bits: 528, use: 'digest', text: /NIST CURVE: P-521/ },
  { algorithm: 'ed25519', bits: 256, use: 'whole message', text: /^ED25519 Private-Key/ },
  { algorithm: 'x25519', bits: 256, use: 'agreement', text: /^X25519 Private-Key/ },
]
const passphrases = [null, 'a secret', 'très 漢字 😀', 'x'.repeat(1023)]
/** Enough rounds to also generate keys whose encoded numbers start with zero bytes. */
const ROUNDS_OF_CURVES = 20

const folder = await mkdtemp(join(tmpdir(), 'openssl-key-pairs-'))
const at = (name: string) => join(folder, name)
const openssl = (...args: string[]) => runToSuccess('openssl', args, { folder })

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

async function checkReading({ text }: Kind, opening: readonly string[]): Promise<void> {
  const shown = await openssl('pkey', '-in', 'private.pem', ...opening, '-check', '-text', '-noout')
  require(/Key is valid/.test(shown), 'the private key is not valid')
  require(text.test(shown.replace('Key is valid\n', '')), `the key is another one: ${shown.slice(0, 200)}`)
  await openssl('pkey', '-pubin', '-in', 'public.pem', '-pubcheck', '-noout')
  const derived = await openssl('pkey', '-in', 'private.pem', ...opening, '-pubout')
  require(derived === (await readFile(at('public.pem'), 'utf8')), 'the keys do not match')
  if (opening.length === 0) return
  const wrong = await run('openssl', ['pkey', '-in', 'private.pem', '-passin', 'pass:wrong', '-noout'], { folder })
  require(wrong.status !== 0, 'the private key opens with another passphrase')
  const structure = await openssl('asn1parse', '-in', 'private.pem')
  for (const part of ['PBES2', 'PBKDF2', 'hmacWithSHA256', 'aes-256-cbc'])
    require(structure.includes(`:${part}\n`), `no ${part} in the encrypted key`)
}

async function checkSigning(use: Use, opening: readonly string[]): Promise<void> {
  const raw = use === 'digest' ? ['-digest', 'sha256', '-rawin'] : ['-rawin']
  await writeFile(at('message'), 'signed by openssl with an ordered key')
  await openssl('pkeyutl', '-sign', '-inkey', 'private.pem', ...opening, ...raw, '-in', 'message', '-out', 'signature')
  const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'public.pem', ...raw, '-sigfile', 'signature', '-in']
  await openssl(...verify, 'message')
  await writeFile(at('other'), 'another message')
  require((await run('openssl', [...verify, 'other'], { folder })).status !== 0, 'a wrong signature verifies')
}

async function checkAgreement(opening: readonly string[]): Promise<void> {
  await openssl('genpkey', '-algorithm', 'x25519', '-out', 'other.pem')
  await openssl('pkey', '-in', 'other.pem', '-pubout', '-out', 'other-public.pem')
  const derive = ['pkeyutl', '-derive', '-inkey']
  await openssl(...derive, 'private.pem', ...opening, '-peerkey', 'other-public.pem', '-out', 'one')
  await openssl(...derive, 'other.pem', '-peerkey', 'public.pem', '-out', 'two')
  require((await readFile(at('one'))).equals(await readFile(at('two'))), 'the two sides do not agree')
}

async function checkPair(kind: Kind, passphrase: string | null): Promise<void> {
  const pair = await generateKeyPair(kind.algorithm, kind.bits, passphrase)
  await writeFile(at('private.pem'), pair.privateKey)
  await writeFile(at('public.pem'), pair.publicKey)
  await writeFile(at('passphrase'), passphrase ?? '')
  const opening = passphrase === null ? [] : ['-passin', 'file:passphrase']
  await checkReading(kind, opening)
  await (kind.use === 'agreement' ? checkAgreement(opening) : checkSigning(kind.use, opening))
}

try {
  for (const kind of kinds) {
    const rounds = kind.algorithm === 'RSA' ? 1 : ROUNDS_OF_CURVES
    for (const passphrase of passphrases)
      for (let round = 0; round < (passphrase === null ? rounds : 1); round += 1) await checkPair(kind, passphrase)
    console.log(`ok ${kind.algorithm} ${kind.bits}`)
  }
} finally {
  await rm(folder, { recursive: true })
}
