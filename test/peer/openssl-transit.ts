/**
 * The other side of the use of keys: openssl makes the keys, verifies what is signed here and signs what is verified
 * here, and both encrypt for each other; PyJWT accepts JSON Web Tokens whose signatures are made here.
 *
 *     node --js-base-64 test/peer/openssl-transit.ts        the flag is for Node 24
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readKeyPair, type KeyPair } from '../../src/crypto/transit/key-pairs.ts'
import { importMacKeys, mac } from '../../src/crypto/transit/macs.ts'
import { decryptOaep, encryptOaep } from '../../src/crypto/transit/oaep.ts'
import {
  sign,
  signatureAlgorithm,
  verify,
  type SignatureName,
  type SignatureOptions,
} from '../../src/crypto/transit/signatures.ts'
import { run, runToSuccess } from './process.ts'

/** Debian's, for which python3-jwt is installed. */
const PYTHON = '/usr/bin/python3'
/** Enough to also meet numbers in signatures that start with zero bytes. */
const ROUNDS = 20

const folder = await mkdtemp(join(tmpdir(), 'openssl-transit-'))
const at = (name: string) => join(folder, name)
const openssl = (...args: string[]) => runToSuccess('openssl', args, { folder })

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

async function read(name: string, isPrivate: boolean): Promise<KeyPair> {
  const pair = readKeyPair(new Uint8Array(await readFile(at(name))), isPrivate)
  if (typeof pair === 'string') throw new Error(`${name}: ${pair}`)
  return pair
}

const pss = ['-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:digest']

/** How openssl uses the algorithm: the key that it makes, and its options for a message. */
const algorithms: Readonly<
  Record<SignatureName, { readonly key: readonly string[]; readonly options: readonly string[] }>
> = {
  RS256: { key: rsa(), options: ['-rawin', '-digest', 'sha256'] },
  RS384: { key: rsa(), options: ['-rawin', '-digest', 'sha384'] },
  RS512: { key: rsa(), options: ['-rawin', '-digest', 'sha512'] },
  PS256: { key: rsa(), options: ['-rawin', '-digest', 'sha256', ...pss] },
  PS384: { key: rsa(), options: ['-rawin', '-digest', 'sha384', ...pss] },
  PS512: { key: rsa(), options: ['-rawin', '-digest', 'sha512', ...pss] },
  ES256: { key: curve('P-256'), options: ['-rawin', '-digest', 'sha256'] },
  ES384: { key: curve('P-384'), options: ['-rawin', '-digest', 'sha384'] },
  ES512: { key: curve('P-521'), options: ['-rawin', '-digest', 'sha512'] },
  EdDSA: { key: ['-algorithm', 'ed25519'], options: ['-rawin'] },
}

function rsa(): readonly string[] {
  return ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
}
function curve(name: string): readonly string[] {
  return ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${name}`]
}

async function makeKey(args: readonly string[]): Promise<void> {
  await openssl('genpkey', ...args, '-out', 'private.pem')
  await openssl('pkey', '-in', 'private.pem', '-pubout', '-out', 'public.pem')
}

async function signed(pair: KeyPair, name: SignatureName, input: Uint8Array<ArrayBuffer>, options: SignatureOptions) {
  const algorithm = signatureAlgorithm(pair, { algorithm: name, ...options }, input)
  if (typeof algorithm === 'string') throw new Error(algorithm)
  return { algorithm, signature: await sign(pair, algorithm, input, options) }
}

/** A message that is signed here verifies there, and one that is signed there verifies here. */
async function checkSignatures(name: SignatureName): Promise<void> {
  const { options } = algorithms[name]
  const [privately, publicly] = [await read('private.pem', true), await read('public.pem', false)]
  const message = crypto.getRandomValues(new Uint8Array(100))
  await writeFile(at('message'), message)
  const verifying = ['pkeyutl', '-verify', '-pubin', '-inkey', 'public.pem', ...options, '-sigfile', 'signature', '-in']
  const { algorithm, signature } = await signed(privately, name, message, {})
  await writeFile(at('signature'), signature)
  await openssl(...verifying, 'message')
  if (algorithm.kind === 'rsa') {
    const digest = new Uint8Array(await crypto.subtle.digest(algorithm.hash, message))
    await writeFile(at('signature'), (await signed(privately, name, digest, { prehashed: true })).signature)
    await openssl(...verifying, 'message')
  }
  await openssl('pkeyutl', '-sign', '-inkey', 'private.pem', ...options, '-in', 'message', '-out', 'signature')
  const theirs = new Uint8Array(await readFile(at('signature')))
  require(await verify(publicly, algorithm, message, theirs, {}), `${name} of openssl does not verify`)
  const other = message.with(0, (message[0] ?? 0) ^ 1)
  require(!(await verify(publicly, algorithm, other, theirs, {})), `${name} verifies another message`)
}

const encoded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const part = (value: object) => encoded(Buffer.from(JSON.stringify(value)))

const DECODE = `
import sys, jwt
token, algorithm, key = sys.argv[1], sys.argv[2], open(sys.argv[3], 'rb').read()
assert jwt.decode(token, key, algorithms=[algorithm]) == {'sub': 'portcullis'}
head, body, signature = token.split('.')
try:
    jwt.decode('.'.join([head, body, signature[:-4] + ('AAAA' if signature[-4:] != 'AAAA' else 'BBBB')]), key, algorithms=[algorithm])
    raise SystemExit('a wrong signature is accepted')
except jwt.InvalidSignatureError:
    pass
`

/** A token that the caller joins from its parts is valid for PyJWT. */
async function checkToken(name: string, key: string, signing: (input: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>) {
  const input = `${part({ typ: 'JWT', alg: name })}.${part({ sub: 'portcullis' })}`
  const token = `${input}.${encoded(await signing(new Uint8Array(Buffer.from(input))))}`
  const { status, stderr, stdout } = await run(PYTHON, ['-c', DECODE, token, name, key], { folder })
  require(status === 0, `PyJWT refuses ${name}: ${stderr}${stdout}`)
}

const oaepHashes = {
  'RSA-OAEP': 'sha1',
  'RSA-OAEP-256': 'sha256',
  'RSA-OAEP-384': 'sha384',
  'RSA-OAEP-512': 'sha512',
} as const

async function checkEncryption(name: keyof typeof oaepHashes, label: string): Promise<void> {
  const [privately, publicly] = [await read('private.pem', true), await read('public.pem', false)]
  const bytes = new Uint8Array(Buffer.from(label))
  const hash = oaepHashes[name]
  const options = [
    '-pkeyopt',
    'rsa_padding_mode:oaep',
    '-pkeyopt',
    `rsa_oaep_md:${hash}`,
    '-pkeyopt',
    `rsa_mgf1_md:${hash}`,
  ]
  const labelled =
    label === '' ? options : [...options, '-pkeyopt', `rsa_oaep_label:${Buffer.from(label).toString('hex')}`]
  const plaintext = crypto.getRandomValues(new Uint8Array(32))
  await writeFile(at('plain'), plaintext)
  await openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', 'public.pem', ...labelled, '-in', 'plain', '-out', 'sealed')
  const opened = await decryptOaep(privately, name, new Uint8Array(await readFile(at('sealed'))), bytes)
  require(opened !== null && Buffer.from(opened).equals(plaintext), `${name} of openssl does not open`)
  await writeFile(at('sealed'), await encryptOaep(publicly, name, plaintext, bytes))
  await openssl('pkeyutl', '-decrypt', '-inkey', 'private.pem', ...labelled, '-in', 'sealed', '-out', 'opened')
  require((await readFile(at('opened'))).equals(plaintext), `openssl opens ${name} as something else`)
}

try {
  for (const name of Object.keys(algorithms) as SignatureName[]) {
    await makeKey(algorithms[name].key)
    for (let round = 0; round < (name.startsWith('ES') ? ROUNDS : 1); round += 1) await checkSignatures(name)
    const privately = await read('private.pem', true)
    await checkToken(
      name,
      'public.pem',
      async (input) => (await signed(privately, name, input, { format: 'raw' })).signature,
    )
    console.log(`ok ${name}`)
  }
  await makeKey(rsa())
  for (const name of Object.keys(oaepHashes) as (keyof typeof oaepHashes)[]) {
    for (const label of ['', 'a context']) await checkEncryption(name, label)
    console.log(`ok ${name}`)
  }
  const raw = crypto.getRandomValues(new Uint8Array(64))
  await writeFile(at('key'), raw)
  const keys = await importMacKeys(raw)
  for (const name of ['HS256', 'HS384', 'HS512'] as const) {
    await checkToken(name, 'key', (input) => mac(keys, name, input))
    console.log(`ok ${name}`)
  }
} finally {
  await rm(folder, { recursive: true })
}
