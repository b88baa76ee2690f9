/**
 * Verifies the certificate authority with openssl: its chain, certificates for requests from openssl, for stored keys
 * and for hostile subjects, the revocation list, and a TLS handshake with an issued certificate. Every certificate is
 * also parsed by pyca/cryptography, which is stricter.
 *
 *     node --js-base-64 test/peer/openssl-certificates.ts        the flag is for Node 24
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  issueCertificate,
  newAuthority,
  openAuthority,
  revocationList,
  type Profile,
} from '../../src/crypto/certificate-authority.ts'
import { checkRequest } from '../../src/crypto/certificate-requests.ts'
import { readSubject } from '../../src/crypto/distinguished-names.ts'
import { generateKeyPair } from '../../src/crypto/key-pairs.ts'
import { requestForStoredKey } from '../../src/crypto/stored-key-requests.ts'
import { hostileSubjects, type HostileSubject } from '../support/hostile-subjects.ts'
import { handshake } from './openssl-handshake.ts'
import { run, runToSuccess } from './process.ts'

const folder = await mkdtemp(join(tmpdir(), 'openssl-certificates-'))
const at = (name: string) => join(folder, name)
const openssl = (...args: string[]) => runToSuccess('openssl', args, { folder })
const fails = async (...args: string[]) => (await run('openssl', args, { folder })).status !== 0

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

const pem = (der: Uint8Array) =>
  [
    '-----BEGIN CERTIFICATE-----',
    ...(Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []),
    '-----END CERTIFICATE-----',
    '',
  ].join('\n')

const made = await newAuthority('proof', Date.now())
const authority = await openAuthority(made.root, made.issuing, made.issuingKey)
await writeFile(at('root.pem'), pem(made.root))
await writeFile(at('issuing.pem'), pem(made.issuing))

async function checkAuthority(): Promise<void> {
  await openssl('verify', '-x509_strict', '-CAfile', 'root.pem', 'issuing.pem')
  const shown = await openssl('x509', '-in', 'issuing.pem', '-noout', '-text')
  for (const part of ['CA:TRUE, pathlen:0', 'Certificate Sign, CRL Sign', 'X509v3 Authority Key Identifier'])
    require(shown.includes(part), `the issuing certificate has no ${part}`)
}

/** All issued certificates, with the expected subject of those for hostile subjects. */
const everyIssued: { readonly pem: string; readonly subject?: HostileSubject['parts'] }[] = []

/** Issues a certificate, writes `leaf.pem` and `intermediates.pem`, and returns its serial number. */
async function issue(request: string, profile: Profile, subject?: HostileSubject['parts']): Promise<string> {
  const checked = await checkRequest(request)
  if (checked.outcome !== 'good') throw new Error(`the request is ${JSON.stringify(checked)}`)
  const issued = await issueCertificate(authority, checked.request, profile, Date.now())
  if ('reason' in issued) throw new Error(issued.reason)
  everyIssued.push({ pem: new TextDecoder().decode(issued.certificate), ...(subject && { subject }) })
  await writeFile(at('leaf.pem'), issued.certificate)
  await writeFile(at('intermediates.p7'), issued.intermediates)
  await openssl('pkcs7', '-in', 'intermediates.p7', '-print_certs', '-out', 'intermediates.pem')
  return issued.serial
}

const verifyLeaf = ['verify', '-x509_strict', '-CAfile', 'root.pem', '-untrusted', 'intermediates.pem']

async function checkLeaf(profile: Profile, expected: readonly string[]): Promise<void> {
  await openssl(...verifyLeaf, 'leaf.pem')
  const purposes = { default: ['sslserver', 'sslclient'], server: ['sslserver'], client: ['sslclient'] }[profile]
  for (const purpose of ['sslserver', 'sslclient']) {
    const suits = !(await fails(...verifyLeaf, '-purpose', purpose, 'leaf.pem'))
    require(suits === purposes.includes(purpose), `profile ${profile} and purpose ${purpose}: ${suits}`)
  }
  const shown = await openssl('x509', '-in', 'leaf.pem', '-noout', '-text')
  for (const part of ['CA:FALSE', 'Digital Signature', 'X509v3 Subject Key Identifier', ...expected])
    require(shown.includes(part), `no ${part} in ${shown}`)
  await openssl('x509', '-in', 'leaf.pem', '-noout', '-pubkey', '-out', 'certified.pem')
}

const keys = {
  'RSA 2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA 4096': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'P-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  Ed25519: ['-algorithm', 'ED25519'],
} as const
const names =
  'subjectAltName=DNS:localhost,DNS:*.server.example,IP:127.0.0.1,IP:::1,email:a@b.example,URI:https://b.example/'
const namesShown = [
  'DNS:localhost, DNS:*.server.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, email:a@b.example',
]

async function checkRequests(): Promise<void> {
  for (const [kind, options] of Object.entries(keys)) {
    await openssl('genpkey', '-quiet', ...options, '-out', 'key.pem')
    await openssl('pkey', '-in', 'key.pem', '-pubout', '-out', 'public.pem')
    await openssl(
      'req',
      '-new',
      '-key',
      'key.pem',
      '-subj',
      '/C=US/O=Ex, "ample"/CN=server',
      '-addext',
      names,
      '-out',
      'request.pem',
    )
    for (const profile of ['default', 'server', 'client'] as const) {
      await issue(await readFile(at('request.pem'), 'utf8'), profile)
      await checkLeaf(profile, namesShown)
      const same = (await readFile(at('certified.pem'), 'utf8')) === (await readFile(at('public.pem'), 'utf8'))
      require(same, 'the certificate is for another key')
    }
    console.log(`ok certificate for a request with ${kind}`)
  }
}

const storedKinds = [
  ['RSA', 2048, null],
  ['RSA', 3072, 'a secret'],
  ['EC', 256, null],
  ['EC', 384, 'a secret'],
  ['EC', 528, null],
  ['ed25519', 256, null],
] as const

/** Creates the request for a stored key and the subject of an order; null if the subject is refused. */
async function storedKeyRequest(privateKey: Uint8Array, passphrase: string | null, written: string) {
  const read = readSubject(written)
  if (read.outcome !== 'good') return null
  const stored = { privateKey, passphrase, subject: read.names, alternativeNames: [] }
  const requested = await requestForStoredKey(stored)
  if (requested.outcome === 'refused') throw new Error(requested.reason)
  return requested.request
}

async function checkStoredKeys(): Promise<void> {
  for (const [algorithm, bits, passphrase] of storedKinds) {
    const pair = await generateKeyPair(algorithm, bits, passphrase)
    const request = await storedKeyRequest(pair.privateKey, passphrase, 'cn=a.example,c=US')
    if (request === null) throw new Error('no request was made')
    await writeFile(at('request.der'), Buffer.from(request, 'base64'))
    await openssl('req', '-inform', 'DER', '-in', 'request.der', '-verify', '-noout')
    await issue(request, 'server')
    await checkLeaf('server', ['DNS:a.example'])
    const subject = await openssl('x509', '-in', 'leaf.pem', '-noout', '-subject', '-nameopt', 'RFC2253')
    require(subject.trim() === 'subject=CN=a.example,C=US', `the certificate is for ${subject}`)
    require((await readFile(at('certified.pem'))).equals(Buffer.from(pair.publicKey)), 'another key was certified')
    console.log(`ok certificate for a stored key, ${algorithm} ${bits}`)
  }
}

/** Only every tenth hostile subject is verified with openssl; pyca/cryptography verifies all of them. */
const SAMPLE = 10

/** Returns the values of a subject without multi-valued parts, as parsed by openssl. */
async function valuesOfLeaf(): Promise<string[]> {
  const shown = await openssl(
    'x509',
    '-in',
    'leaf.pem',
    '-noout',
    '-subject',
    '-nameopt',
    'sep_multiline,utf8,oid,space_eq',
  )
  return shown
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.slice(line.indexOf(' = ') + ' = '.length))
}

async function checkHostileSubjects(): Promise<void> {
  const { privateKey } = await generateKeyPair('EC', 256, null)
  let issued = 0
  for (const [number, { written, parts }] of hostileSubjects.entries()) {
    const request = await storedKeyRequest(privateKey, null, written)
    if (request === null) continue
    await issue(request, 'default', parts)
    issued += 1
    if (number % SAMPLE > 0) continue
    await openssl(...verifyLeaf, 'leaf.pem')
    if (parts.some((part) => part.length > 1)) continue
    const [read, expected] = [await valuesOfLeaf(), parts.flat().map(({ text }) => text)]
    require(JSON.stringify(read) === JSON.stringify(expected), `${written} is parsed as ${read.join(', ')}`)
  }
  require(issued > 300, `${issued} of the hostile subjects were certified`)
  console.log(`ok ${issued} certificates for hostile subjects`)
}

/** Parses all certificates with pyca/cryptography, which rejects encodings that openssl accepts. */
async function checkStrictParser(): Promise<void> {
  const authorities = [made.root, made.issuing].map((der) => ({ pem: pem(der) }))
  await writeFile(at('issued.json'), JSON.stringify([...authorities, ...everyIssued]))
  const script = join(import.meta.dirname, 'read-certificates.py')
  console.log((await runToSuccess('python3', [script, 'issued.json'], { folder })).trim())
}

async function newRequest(): Promise<string> {
  await openssl('genpkey', '-quiet', ...keys['P-256'], '-out', 'key.pem')
  await openssl(
    'req',
    '-new',
    '-key',
    'key.pem',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-out',
    'request.pem',
  )
  return readFile(at('request.pem'), 'utf8')
}

async function checkRevocation(): Promise<void> {
  const request = await newRequest()
  const revoked = await issue(request, 'default')
  await writeFile(at('revoked.pem'), await readFile(at('leaf.pem')))
  await issue(request, 'default')
  const check = [...verifyLeaf, '-crl_check', '-CRLfile', 'list.pem']
  const write = async (entries: Parameters<typeof revocationList>[1]) =>
    writeFile(at('list.pem'), await revocationList(authority, entries, Date.now()))
  await write([])
  await openssl(...check, 'revoked.pem')
  await write([{ serial: revoked, revoked: Date.now() }])
  await openssl(...check, 'leaf.pem')
  const { stdout, stderr } = await run('openssl', [...check, 'revoked.pem'], { folder })
  require(/certificate revoked/.test(stdout + stderr), `the revoked certificate passes: ${stdout}${stderr}`)
  await openssl('crl', '-in', 'list.pem', '-CAfile', 'issuing.pem', '-noout', '-verify')
  const shown = await openssl('crl', '-in', 'list.pem', '-noout', '-text')
  require(/X509v3 CRL Number/.test(shown) && /Next Update/.test(shown), 'the list has no number or no next update')
  console.log('ok revocation list')
}

async function checkHandshake(): Promise<void> {
  await issue(await newRequest(), 'server')
  await handshake(folder, {
    certificate: 'leaf.pem',
    key: 'key.pem',
    intermediates: 'intermediates.pem',
    root: 'root.pem',
  })
  console.log('ok TLS handshake')
}

try {
  await checkAuthority()
  await checkRequests()
  await checkStoredKeys()
  await checkRevocation()
  await checkHandshake()
  await checkHostileSubjects()
  await checkStrictParser()
} finally {
  await rm(folder, { recursive: true })
}
