/** Steps of the stock client with certificate orders and authorities; the results are verified with openssl. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finishedOrder, OCTETS, order, partsOf, payloadOf, showContainer } from './client-resources.ts'
import { handshake } from './openssl-handshake.ts'
import { expectColumns, list, show, text, uniqueName, type Session } from './openstack.ts'
import { needPackages } from './packages.ts'
import { run, runToSuccess } from './process.ts'

/** The files of a certificate container in the folder of the session. */
const FILES = { certificate: 'certificate.pem', intermediates: 'intermediates.pem' } as const

const openssl = ({ folder }: Session, ...args: readonly string[]) => runToSuccess('openssl', args, { folder })

/** Sends a request for which the client has no command; throws if it is refused. */
async function send(session: Session, method: string, url: string, json?: unknown): Promise<Response> {
  const token = text(await show(session, 'token', 'issue'), 'id')
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' }
  const answer = await fetch(url, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) })
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`)
  return answer
}

/** Reads the only authority through the `cas` manager of python-barbicanclient and returns its reference. */
async function authority(session: Session): Promise<string> {
  const { step } = session.report
  const ref = await step('ca list', async () => {
    const [first, ...others] = await list(session, 'ca', 'list')
    assert.deepEqual(others, [])
    expectColumns(first ?? {}, { Status: 'ACTIVE', Name: 'Portcullis' })
    return text(first ?? {}, 'CA href')
  })
  await step('ca get', async () => {
    const shown = await show(session, 'ca', 'get', ref)
    expectColumns(shown, { 'CA href': ref, Status: 'ACTIVE', 'Plugin Name': 'portcullis', Name: 'Portcullis' })
    assert.ok(Date.parse(text(shown, 'Expiration')) > Date.now(), 'the authority has expired')
    for (const column of ['Description', 'Created', 'Updated', 'Plugin CA ID']) text(shown, column)
  })
  return ref
}

/**
 * Waits for the certificate of an order, writes its parts to the session's folder as PEM, and returns its container.
 */
async function collect(session: Session, ref: string): Promise<string> {
  const shown = await finishedOrder(session, ref)
  expectColumns(shown, { 'Order href': ref, Type: 'Certificate', Status: 'ACTIVE', 'Error code': null })
  const container = text(shown, 'Container href')
  const contents = await showContainer(session, container)
  expectColumns(contents, { Type: 'certificate', Status: 'ACTIVE' })
  for (const [name, part] of Object.entries(partsOf(contents))) {
    await writeFile(join(session.folder, `${name}.pem`), await payloadOf(session, part, OCTETS))
  }
  await openssl(session, 'pkcs7', '-in', 'intermediates.pem', '-print_certs', '-out', 'intermediates.pem')
  return container
}

/** Verifies the collected certificate with the authority's root and its current revocation list. */
async function check(session: Session, authorityRef: string) {
  for (const part of ['cacert', 'crl']) {
    const pem = await (await send(session, 'GET', `${authorityRef}/${part}`)).text()
    await writeFile(join(session.folder, `${part}.pem`), pem)
  }
  const trusted = ['-CAfile', 'cacert.pem', '-untrusted', FILES.intermediates, '-CRLfile', 'crl.pem']
  const args = ['verify', '-x509_strict', '-crl_check', ...trusted, FILES.certificate]
  return run('openssl', args, { folder: session.folder })
}

async function requestedCertificate(session: Session, authorityRef: string): Promise<void> {
  const { step } = session.report
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem']
  await openssl(session, 'req', '-new', ...key, ...subject, '-out', 'request.pem')
  const ref = await step('secret order create certificate --request-file', () => {
    const file = join(session.folder, 'request.pem')
    const id = authorityRef.slice(-36)
    const asked = ['--request-type', 'simple-cmc', '--ca-id', id, '--profile', 'server', '--request-file', file]
    return order(session, 'certificate', '--name', uniqueName('certificate'), ...asked)
  })
  const container = await step('secret order get (certificate)', () => collect(session, ref))
  await step('openssl verifies the ordered certificate', async () => {
    const { stdout, stderr } = await check(session, authorityRef)
    assert.match(stdout, /^certificate\.pem: OK$/m, stderr)
  })
  await step('openssl serves TLS with the ordered certificate', () =>
    handshake(session.folder, { ...FILES, key: 'key.pem', root: 'cacert.pem' }),
  )
  await step('openssl refuses the certificate after its container was deleted with revoke', async () => {
    await send(session, 'DELETE', `${container}?revoke=true`)
    const { status, stdout, stderr } = await check(session, authorityRef)
    assert.notEqual(status, 0)
    assert.match(stdout + stderr, /certificate revoked/)
  })
}

async function storedKeyCertificate(session: Session, authorityRef: string): Promise<void> {
  const { step } = session.report
  const pair = text(
    await finishedOrder(session, await order(session, 'asymmetric', '--algorithm', 'rsa', '--bit-length', '2048')),
    'Container href',
  )
  const stored = ['--request-type', 'stored-key', '--source-container-ref', pair]
  const ref = await step('secret order create certificate --source-container-ref', () =>
    order(
      session,
      'certificate',
      ...stored,
      '--subject-dn',
      'cn=localhost,o=Example',
      '--ca-id',
      authorityRef.slice(-36),
      '--profile',
      'server',
    ),
  )
  await step('secret order get (certificate of a stored key)', () => collect(session, ref))
  await step('openssl serves TLS with the stored key and its certificate', async () => {
    const { stdout, stderr } = await check(session, authorityRef)
    assert.match(stdout, /^certificate\.pem: OK$/m, stderr)
    await handshake(session.folder, { ...FILES, key: 'private_key.pem', root: 'cacert.pem' })
  })
  await step('secret order list with an order whose meta the client does not know', async () => {
    const extensions = 'subjectAltName=DNS:a.example'
    const meta = { request_type: 'stored-key', container_ref: pair, subject_dn: 'cn=a.example', extensions }
    const collection = ref.slice(0, ref.lastIndexOf('/'))
    const placed = await send(session, 'POST', collection, { type: 'certificate', meta })
    const { order_ref: other } = (await placed.json()) as { order_ref: string }
    const listed = await list(session, 'secret', 'order', 'list', '--limit', '100')
    expectColumns(listed.find((each) => each['Order href'] === other) ?? {}, { Type: 'Certificate' })
  })
}

/** The authority, certificates for requests and stored keys, and their revocation. */
export async function certificateOrders(session: Session): Promise<void> {
  const { report } = session
  await needPackages(['openssl'])
  let ref = ''
  await report.scenario('the certificate authority', async () => void (ref = await authority(session)))
  await report.scenario('a certificate for a request', () => requestedCertificate(session, ref))
  await report.scenario('a certificate for a stored key', () => storedKeyCertificate(session, ref))
}
