/** Certificate orders, end to end: refusals, issuance, and the contents of certificates. */
import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { base } from '../support/client.ts'
import { either, itDiffers } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { expectRefusal, mismatch, notPermitted, wrongType } from '../support/refusals.ts'
import { workerWith } from '../support/worker-with.ts'
import { readCertificate } from '../support/issued-certificate.ts'
import { requests } from '../vectors/certificate-requests.json'
import { keys as privateKeys, passphrase } from '../vectors/private-keys.json'

let who: Person
beforeAll(async () => {
  who = await owner()
})
const send = callAs(() => who)
const order = (meta: object) => send('POST', '/v1/orders', { json: { type: 'certificate', meta } })
const base64 = (text: string) => btoa(text)
const der = (pem: string) => pem.trim().split('\n').slice(1, -1).join('')

const ENDED = 20_000

/** Waits until the order has ended and returns it. */
async function ended(ref: string) {
  for (const until = Date.now() + ENDED; Date.now() < until;) {
    const { json } = await send('GET', ref)
    if (json.status !== 'PENDING') return json
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the order did not end')
}

async function ordered(meta: object) {
  const answer = await order(meta)
  expect(answer.status, answer.text).toBe(202)
  return ended(answer.json.order_ref)
}

/** The payloads of an ACTIVE order's container, by name. */
async function contents(view: { container_ref: string }): Promise<Record<string, string>> {
  const { json } = await send('GET', view.container_ref)
  const refs = json.secret_refs as { name: string; secret_ref: string }[]
  const read = async ({ name, secret_ref: ref }: (typeof refs)[number]) =>
    [name, (await send('GET', `${ref}/payload`, { headers: { Accept: '*/*' } })).text] as const
  return Object.fromEntries(await Promise.all(refs.map(read)))
}

async function authority() {
  const { json } = await send('GET', '/v1/cas')
  const [ref] = json.cas as string[]
  const text = async (part: string) => (await send('GET', `${ref}/${part}`, { headers: { Accept: '*/*' } })).text
  const root = new X509Certificate(await text('cacert'))
  const issuing = new X509Certificate(await text('intermediates'))
  return { id: ref?.split('/').at(-1), root, issuing }
}

const simple = (pem: string) => ({ request_type: 'simple-cmc', request_data: base64(pem) })

describe('an invalid order for a certificate', () => {
  const stored = { request_type: 'stored-key', container_ref: `${base}/v1/containers/x` }
  const field = (name: string) => `Missing required metadata field for ${name}`
  it.each<[object, string]>([
    [{ request_type: 'foo' }, 'Invalid Certificate Request Type'],
    [{ request_type: 1 }, 'Invalid Certificate Request Type'],
    [{ request_type: null }, 'Invalid Certificate Request Type'],
    [{ request_type: 'full-cmc' }, 'Full CMC Requests are not yet supported.'],
    [{ request_type: 'simple-cmc' }, field('request_data')],
    [{ request_type: 'stored-key' }, field('container_ref')],
    [stored, field('subject_dn')],
    [{ profile: 'x' }, field('ca_id')],
    [{ profile: '' }, field('ca_id')],
    [{ profile: 'x', request_type: 'foo' }, field('ca_id')],
    [{ request_type: 'simple-cmc', request_data: 1 }, 'Unable to decode request data.'],
    [
      { request_type: 'simple-cmc', request_data: '***' },
      either('strict base64', { ours: 'Unable to decode request data.', peer: 'Invalid PKCS10 Data: Bad format' }),
    ],
    [simple(requests.changed), 'Invalid PKCS10 Data: Signing key incorrect'],
    ...['foo', '', 'cn=', 'cn=a,', ';', 'cn=a,,o=b'].map(
      (name) => [{ ...stored, subject_dn: name }, `Invalid subject DN: ${name}`] as [object, string],
    ),
    [{ ...stored, subject_dn: 'foo', extensions: 'abc' }, 'Invalid subject DN: foo'],
    ...[
      'abc',
      'keyUsage=DNS:a',
      'subjectAltName=',
      ...['IP:1.2.3', 'DNS:a b', 'DNS:', 'foo:a', 'DNS:a,'].map((name) => `subjectAltName=${name}`),
    ].map(
      (extensions) =>
        [
          { ...stored, subject_dn: 'cn=a,o=b', extensions },
          'Extensions are not yet supported.  Specify a valid profile instead.',
        ] as [object, string],
    ),
    [
      { payload: 'x', request_type: 'foo' },
      "Provided object does not match schema 'Order': 'payload' not allowed for certificate type order. Invalid property: 'meta'",
    ],
  ])('an order for a certificate with the meta %j is 400', async (meta, description) => {
    expectRefusal(await order(meta), 400, description)
  })

  itDiffers('bounded names')('its subject_dn has more than 1,000 characters', async () => {
    // 14 parts of 68 characters with their commas, and one that fills the rest.
    const name = (length: number) => `cn=${'a'.repeat(length - 955)}${`,ou=${'b'.repeat(64)}`.repeat(14)}`
    expect(name(1_000)).toHaveLength(1_000)
    expectRefusal(await order({ ...stored, subject_dn: name(1_001) }), 400, `Invalid subject DN: ${name(1_001)}`)
    expect((await order({ ...stored, subject_dn: name(1_000) })).status).toBe(202)
  })

  itDiffers('strict subjects').each([
    ['foo=bar', 'the attribute foo is not known'],
    ['cn=a,foo=bar', 'the attribute foo is not known'],
    ['999.999.9=a', '999.999.9 is not a valid object identifier'],
    ['C=USA', 'C has more than 2 characters'],
    [`cn=${'a'.repeat(900)}`, 'CN has more than 64 characters'],
    ['cn=a\\00.example', 'CN has control characters'],
    ['cn=a\nb', 'CN has control characters'],
    ['emailAddress=ü@example.test', 'emailAddress has characters that it may not have'],
    ['DC=exämple', 'DC has characters that it may not have'],
    ['1.3.6.1.4.1.1466.0=#04024869', 'a value after # is not the DER of a string that subjects have'],
  ])('no certificate can carry its subject_dn: %j', async (name, reason) => {
    expectRefusal(await order({ ...stored, subject_dn: name }), 400, `Invalid subject DN: ${reason}`)
  })

  itDiffers('order types').each([
    'DNS:-.-',
    'DNS:a_b.example',
    'DNS:a.*.example',
    'DNS:*',
    'DNS:192.0.2.1',
    `DNS:${'a'.repeat(64)}`,
    'email:"CEO"<ceo@bank.example>',
    'email:a',
    'IP:192.0.2.1/24',
    'IP:fe80::1%eth0',
    'IP:010.0.0.1',
    'URI:/a',
    'URI:a b',
    'URI:https://',
    'URI:https://ü.example/',
  ])('no certificate can carry its alternative name: %s', async (name) => {
    const answer = await order({ ...stored, subject_dn: 'cn=a', extensions: `subjectAltName=DNS:a.example,${name}` })
    expectRefusal(answer, 400, 'Extensions are not yet supported.  Specify a valid profile instead.')
  })
})

describe('an invalid certificate request', () => {
  const nested = (depth: number) => {
    const bytes = new Uint8Array(depth * 4)
    for (let at = 0; at < depth; at += 1) {
      const length = (depth - at - 1) * 4
      bytes.set([0x30, 0x82, (length >> 8) & 0xff, length & 0xff], at * 4)
    }
    return btoa(String.fromCharCode(...bytes))
  }
  const whole = atob(der(requests.rsa))
  it.each([
    ['truncated', btoa(whole.slice(0, 300))],
    ['truncated by a byte', btoa(whole.slice(0, -1))],
    ['nested 4,000 deep', nested(4_000)],
    ['empty', ''],
    ['a certificate', base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')],
    ['PEM without end', base64(requests.rsa.slice(0, 200))],
    ['an integer', btoa('\x02\x01\x05')],
    ['zeros', btoa('\0'.repeat(1_000))],
    ['18,000 bytes long', base64(`\x30${'\x7f'.repeat(17_999)}`)],
  ])('a certificate request that is %s is 400', async (_name, data) => {
    const answer = await order({ request_type: 'simple-cmc', request_data: data })
    expectRefusal(answer, 400, 'Invalid PKCS10 Data: Bad format')
  })

  it('a certificate request of 1 MiB is refused, at the latest by its own limit', async () => {
    const answer = await order({ request_type: 'simple-cmc', request_data: 'A'.repeat(1_048_576) })
    expect([400, 413]).toContain(answer.status)
  })

  itDiffers('order types').each([
    ['1 MiB long', 'A'.repeat(1_048_576)],
    ['nested 10,000 deep', nested(10_000)],
    ['nested 10,000 deep without lengths', btoa('\x30\x80'.repeat(10_000))],
  ])('a certificate request that is %s is 400 when the service reads bodies that large', async (_name, data) => {
    const json = { type: 'certificate', meta: { request_type: 'simple-cmc', request_data: data } }
    const answer = await workerWith({ MAX_REQUEST_BYTES: '10000000' })('POST', '/v1/orders', { token: who.token, json })
    expectRefusal(answer, 400, 'Invalid PKCS10 Data: Bad format')
  })

  const deep = (member: string) => `{"${member}":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
  itDiffers('order types').each([
    `{"type":"certificate","meta":${deep('request_data')}}`,
    `{"type":"certificate","meta":{"request_type":"simple-cmc",${deep('request_data').slice(1)}}`,
    `{"type":"certificate","meta":{"request_type":"stored-key","container_ref":"x",${deep('subject_dn').slice(1)}}`,
    `{"type":"certificate","meta":${deep('name')}}`,
    `{"meta":{},${deep('type').slice(1)}`,
    deep('meta'),
  ])('a certificate order with arrays 10,000 deep is 400: %.70s', async (body) => {
    const answer = await send('POST', '/v1/orders', { body, headers: { 'Content-Type': 'application/json' } })
    expect([answer.status, answer.json.title]).toEqual([400, 'Bad Request'])
  })

  it.each([[['a']], [{ a: 1 }], [true]])('a certificate request that is %j is 400', async (data) => {
    expectRefusal(
      await order({ request_type: 'simple-cmc', request_data: data }),
      400,
      'Unable to decode request data.',
    )
  })

  itDiffers('order types')(
    'a certificate request with any one byte changed is 400, or its certificate is issued from it as it is',
    async () => {
      for (let at = 0; at < whole.length; at += 41) {
        const changed = whole.slice(0, at) + String.fromCharCode(whole.charCodeAt(at) ^ 0x20) + whole.slice(at + 1)
        const answer = await order({ request_type: 'simple-cmc', request_data: btoa(changed) })
        expect([202, 400], `byte ${at}`).toContain(answer.status)
        if (answer.status === 202) expect((await ended(answer.json.order_ref)).status, `byte ${at}`).toBe('ERROR')
      }
    },
  )
})

describe('an order for a certificate', () => {
  const issues = itDiffers('order types')

  issues('an order for a certificate ends with a container of the certificate and its intermediates', async () => {
    const meta = simple(requests.rsa)
    const view = await ordered(meta)
    expect(view).toMatchObject({
      status: 'ACTIVE',
      type: 'certificate',
      meta,
      sub_status: 'cert_generated',
      sub_status_message: 'Certificate has been generated',
    })
    const { json: container } = await send('GET', view.container_ref)
    expect(container).toMatchObject({ type: 'certificate', name: null, status: 'ACTIVE' })
    const made = await contents(view)
    expect(Object.keys(made)).toEqual(['certificate', 'intermediates'])
    expect(made['intermediates']).toMatch(/^-----BEGIN PKCS7-----\n[\s\S]+\n-----END PKCS7-----\n$/)
  })

  issues(
    'a certificate has the subject, key and alternative names of its request, and nothing that makes it an authority',
    async () => {
      const { root, issuing } = await authority()
      const certificate = new X509Certificate(
        (await contents(await ordered(simple(requests.rsa))))['certificate'] ?? '',
      )
      expect(certificate.subject.split('\n')).toEqual(['C=US', 'O=Example', 'CN=server.example'])
      expect(certificate.subjectAltName).toBe(
        'DNS:server.example, DNS:*.server.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:admin@server.example, URI:https://server.example/',
      )
      expect(certificate.verify(issuing.publicKey)).toBe(true)
      expect(issuing.verify(root.publicKey)).toBe(true)
      expect([certificate.ca, issuing.ca, root.ca]).toEqual([false, true, true])
      const wishful = await contents(await ordered(simple(requests.authority)))
      expect(new X509Certificate(wishful['certificate'] ?? '').ca).toBe(false)
    },
  )

  issues('a certificate is valid for a bounded time and has a serial number of its own', async () => {
    const { issuing } = await authority()
    const views = await Promise.all([ordered(simple(requests.p256)), ordered(simple(requests.p256))])
    const made = await Promise.all(
      views.map(async (view) => new X509Certificate((await contents(view))['certificate'] ?? '')),
    )
    expect(new Set(made.map(({ serialNumber }) => serialNumber)).size).toBe(2)
    for (const { serialNumber, validFrom, validTo } of made) {
      expect(serialNumber.length).toBeGreaterThan(20)
      expect(Date.parse(validFrom)).toBeLessThanOrEqual(Date.now())
      expect(Date.parse(validTo)).toBeLessThanOrEqual(Date.now() + 398 * 86_400_000)
      expect(Date.parse(validTo)).toBeLessThan(Date.parse(issuing.validTo))
    }
  })

  issues.each(['p256', 'p384', 'p521', 'ed25519', 'authority'] as const)(
    'an order for a certificate accepts a request with %s',
    async (name) => {
      expect((await ordered(simple(requests[name]))).status).toBe('ACTIVE')
    },
  )

  issues.each([
    ['PEM', requests.rsa],
    ['base64 of DER', der(requests.rsa)],
    ['base64 of PEM, with white space around', ` ${base64(requests.rsa)}\n`],
  ])('an order for a certificate accepts %s', async (_name, data) => {
    expect((await ordered({ request_type: 'simple-cmc', request_data: data })).status).toBe('ACTIVE')
  })

  const refused = (reason: string) => ({
    status: 'ERROR',
    error_status_code: '400',
    error_reason: `Process TypeOrder issue seen - Invalid operation requested - Reason: ${reason}.`,
  })
  issues.each([
    ['short', 'The RSA key is shorter than 2048 bits'],
    ['exponent', 'The public exponent of the RSA key is too small'],
    ['sha1', 'The signature of the request uses a weak or unknown hash'],
    ['md5', 'The signature of the request uses a weak or unknown hash'],
    ['secp256k1', 'The algorithm of the key is not supported'],
    ['nobody', 'The request names nobody'],
  ] as const)('an order for a certificate ends in ERROR for a request that is %s', async (name, reason) => {
    expect(await ordered(simple(requests[name]))).toMatchObject(refused(reason))
  })

  issues('a certificate leaves out alternative names of unsupported kinds', async () => {
    const certificate = new X509Certificate(
      (await contents(await ordered(simple(requests.otherName))))['certificate'] ?? '',
    )
    // Without alternative names the common name is used instead.
    expect(certificate.subjectAltName).toBe('DNS:server.example')
  })

  issues('an order for a certificate without a type goes to the authority as it is', async () => {
    expect((await ordered({ request_data: base64(requests.p256) })).status).toBe('ACTIVE')
    expect(await ordered({})).toMatchObject({
      status: 'ERROR',
      error_status_code: '400',
      error_reason:
        'Process TypeOrder issue seen - Problem with data in certificate request - Reason: No request_data specified.',
    })
  })

  issues.each([
    ['server', 'serverAuth'],
    ['client', 'clientAuth'],
  ])('a certificate of profile %s is limited to that use', async (profile) => {
    const { id } = await authority()
    const view = await ordered({ ...simple(requests.p384), ca_id: id, profile })
    const certificate = new X509Certificate((await contents(view))['certificate'] ?? '')
    expect(certificate.keyUsage).toEqual([profile === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'])
    expect(certificate.subjectAltName).toBe('DNS:server.example')
  })

  issues('an order for a certificate ends in ERROR for an unknown profile and an unknown authority', async () => {
    const { id } = await authority()
    expect(await ordered({ ...simple(requests.p256), ca_id: id, profile: 'x' })).toMatchObject(
      refused('There is no profile x'),
    )
    expect(await ordered({ ...simple(requests.p256), ca_id: 'x' })).toMatchObject(
      refused('There is no such certificate authority'),
    )
  })
})

describe('an order for a certificate of a stored key', () => {
  const issues = itDiffers('order types')
  const failed = (reason: string) => ({
    status: 'ERROR',
    error_status_code: '400',
    error_reason: `Process TypeOrder issue seen - Invalid operation requested - Reason: ${reason}.`,
  })
  const NO_CONTAINER = 'There is no such container that the order may use'
  const NO_KEY = 'The container has no private_key that the order may use'

  async function keyPair(passphrase?: string): Promise<string> {
    const meta = { algorithm: 'rsa', bit_length: 2048, ...(passphrase && { passphrase }) }
    const { json } = await send('POST', '/v1/orders', { json: { type: 'asymmetric', meta } })
    return (await ended(json.order_ref)).container_ref as string
  }
  const stored = (ref: string, more: object = {}) => ({
    request_type: 'stored-key',
    container_ref: ref,
    subject_dn: 'cn=server.example,o=b,c=US',
    ...more,
  })

  issues('an order for a stored key certifies the pair, and its container has the private key itself', async () => {
    const pair = await keyPair()
    const view = await ordered(stored(pair))
    expect(view.meta).toEqual(stored(pair))
    const made = await contents(view)
    expect(Object.keys(made)).toEqual(['certificate', 'intermediates', 'private_key'])
    const certificate = new X509Certificate(made['certificate'] ?? '')
    expect(certificate.subject.split('\n')).toEqual(['C=US', 'O=b', 'CN=server.example'])
    const { public_key: publicKey } = await contents({ container_ref: pair })
    expect(certificate.publicKey.export({ type: 'spki', format: 'pem' })).toBe(publicKey)
    const refs = async (ref: string) =>
      (await send('GET', ref)).json.secret_refs as { name: string; secret_ref: string }[]
    const key = (all: { name: string; secret_ref: string }[]) => all.find(({ name }) => name === 'private_key')
    expect(key(await refs(view.container_ref))).toEqual(key(await refs(pair)))
  })

  issues('an order for a stored key opens the key with its passphrase, and accepts alternative names', async () => {
    const extensions = 'subjectAltName=DNS:a.example,IP:192.0.2.7'
    const view = await ordered(stored(await keyPair('correct horse'), { extensions }))
    const made = await contents(view)
    expect(Object.keys(made)).toEqual(['certificate', 'intermediates', 'private_key', 'private_key_passphrase'])
    expect(new X509Certificate(made['certificate'] ?? '').subjectAltName).toBe('DNS:a.example, IP Address:192.0.2.7')
  })

  issues('an order for a stored key succeeds when one secret has two names in the container', async () => {
    const { json: pair } = await send('GET', await keyPair())
    const key = (pair.secret_refs as { name: string; secret_ref: string }[]).find(({ name }) => name === 'private_key')
    const json = { type: 'generic', secret_refs: [key] }
    const ref = (await send('POST', '/v1/containers', { json })).json.container_ref as string
    await send('POST', `${ref}/secrets`, { json: { ...key, name: 'private_key_passphrase' } })
    expect(await ordered(stored(ref))).toMatchObject({ status: 'ACTIVE' })
  })

  /** Creates a container of secrets with these payloads, by name. */
  async function containerOf(payloads: Readonly<Record<string, string | Uint8Array | null>>): Promise<string> {
    const refs = []
    for (const [name, payload] of Object.entries(payloads)) {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
      const json = bytes && {
        payload: Buffer.from(bytes).toString('base64'),
        payload_content_type: 'application/octet-stream',
        payload_content_encoding: 'base64',
      }
      const secret = await send('POST', '/v1/secrets', { json: json ?? {} })
      refs.push({ name, secret_ref: secret.json.secret_ref as string })
    }
    const json = { type: 'generic', secret_refs: refs }
    return (await send('POST', '/v1/containers', { json })).json.container_ref
  }
  const key = (name: keyof typeof privateKeys) => Uint8Array.from(Buffer.from(privateKeys[name], 'base64'))

  issues('ends in ERROR, with nothing made and the reason, when the pair cannot be used', async () => {
    const stranger = await person(['creator'])
    const foreign = await callAs(() => stranger)('POST', '/v1/containers', { json: { type: 'generic' } })
    const gone = await containerOf({ private_key: key('ec.pem') })
    expect((await send('DELETE', gone)).status).toBe(204)
    const closed = 'The private_key is encrypted, and there is no passphrase that may be used'
    const unusable: [string, string][] = [
      ['x', NO_CONTAINER],
      [foreign.json.container_ref, NO_CONTAINER],
      [gone, NO_CONTAINER],
      [await containerOf({}), NO_KEY],
      [await containerOf({ other: key('ec.pem') }), NO_KEY],
      [await containerOf({ private_key: null }), NO_KEY],
      [await containerOf({ private_key: 'x' }), 'The private_key is neither PEM nor DER of a private key'],
      [
        await containerOf({ private_key: key('openssh.pem') }),
        'The private_key is in the format of OpenSSH: convert it to PKCS#8',
      ],
      [
        await containerOf({ private_key: key('rsa-scrypt.pem'), private_key_passphrase: passphrase }),
        'The private_key is encrypted with scrypt, which is not supported: use PBKDF2',
      ],
      [await containerOf({ private_key: key('rsa-pbkdf2.pem') }), closed],
      [await containerOf({ private_key: key('rsa-pbkdf2.pem'), private_key_passphrase: null }), closed],
      [
        await containerOf({ private_key: key('rsa-pbkdf2.pem'), private_key_passphrase: 'wrong' }),
        'The private_key does not open with its passphrase, or is broken',
      ],
      [
        await containerOf({ private_key: key('rsa-pbkdf2.pem'), private_key_passphrase: Uint8Array.of(0xff) }),
        'The private_key_passphrase is not text in UTF-8',
      ],
      [await containerOf({ private_key: key('short.pem') }), 'The RSA key is shorter than 2048 bits'],
      [await containerOf({ private_key: key('x25519.pem') }), 'The algorithm of the key is not supported'],
    ]
    const before = (await send('GET', '/v1/secrets')).json.total
    for (const [ref, reason] of unusable) {
      const view = await ordered(stored(ref))
      expect(view).toMatchObject(failed(reason))
      expect(view.error_reason.length).toBeLessThanOrEqual(255)
    }
    expect((await send('GET', '/v1/secrets')).json.total).toBe(before)
  })

  issues.each([
    ['rsa-pkcs8.der', null],
    ['rsa-pkcs1.der', null],
    ['rsa-pkcs1.pem', null],
    ['ec-sec1.der', null],
    ['ec-sec1-parameters.pem', null],
    ['rsa-pbkdf2-pkcs8.der', passphrase],
    ['rsa-pkcs1-encrypted.pem', passphrase],
  ] as const)('takes a key in the form of %s', async (name, given) => {
    const ref = await containerOf({ private_key: key(name), ...(given && { private_key_passphrase: given }) })
    expect(await ordered(stored(ref))).toMatchObject({ status: 'ACTIVE' })
  })

  issues.each([
    ['CN=Lu\\C4\\8Di\\C4\\87,O=x', ['O=x', 'CN=Lučić']],
    ['O=Example\\2C Inc.,CN=a.example', ['CN=a.example', 'O=Example, Inc.']],
    ['CN=h,O=The \\"Example\\" Co', ['O=The "Example" Co', 'CN=h']],
    ['CN=\\#0c0161', ['CN=#0c0161']],
    ['O=Foo\\,,CN=a', ['CN=a', 'O=Foo,']],
    ['E=a@b.example,postalCode=1,OID.2.5.4.3=a', ['CN=a', 'postalCode=1', 'emailAddress=a@b.example']],
  ])('is for the subject that was written: %s', async (name, subject) => {
    const ref = await containerOf({ private_key: key('ed25519.pem') })
    const made = await contents(await ordered(stored(ref, { subject_dn: name })))
    const types: Readonly<Record<string, string>> = {
      '2.5.4.3': 'CN',
      '2.5.4.10': 'O',
      '2.5.4.17': 'postalCode',
      '1.2.840.113549.1.9.1': 'emailAddress',
    }
    const read = readCertificate(made['certificate'] ?? '').subject
    expect(read.map(([attribute]) => attribute && `${types[attribute.type]}=${attribute.text}`)).toEqual(subject)
  })

  issues('does not use what a colleague keeps private, neither the container nor its key', async () => {
    const colleague = await person(['creator'], { projectId: who.projectId })
    const theirs = callAs(() => colleague)
    const order = async (ref: string) => {
      const placed = await theirs('POST', '/v1/orders', { json: { type: 'certificate', meta: stored(ref) } })
      return ended(placed.json.order_ref)
    }
    const ref = await keyPair()
    expect((await order(ref)).status).toBe('ACTIVE')
    const close = (of: string) => send('PUT', `${of}/acl`, { json: { read: { 'project-access': false } } })
    const open = (of: string) => send('DELETE', `${of}/acl`)
    const { json } = await send('GET', ref)
    const key = (json.secret_refs as { name: string; secret_ref: string }[]).find(({ name }) => name === 'private_key')
    for (const guarded of [ref, key?.secret_ref ?? '']) {
      expect((await close(guarded)).status).toBe(200)
      const hidden = await order(ref)
      expect(hidden).toMatchObject(failed(guarded === ref ? NO_CONTAINER : NO_KEY))
      expect((await ordered(stored(ref))).status).toBe('ACTIVE')
      expect((await open(guarded)).status).toBe(200)
    }
  })

  issues('says the same of a passphrase that a colleague keeps private and of one that is not there', async () => {
    const colleague = await person(['creator'], { projectId: who.projectId })
    const theirs = callAs(() => colleague)
    const ref = await containerOf({ private_key: key('rsa-pbkdf2.pem'), private_key_passphrase: passphrase })
    const { json } = await send('GET', ref)
    const refs = json.secret_refs as { name: string; secret_ref: string }[]
    const closed = refs.find(({ name }) => name === 'private_key_passphrase')?.secret_ref ?? ''
    await send('PUT', `${closed}/acl`, { json: { read: { 'project-access': false } } })
    const placed = await theirs('POST', '/v1/orders', { json: { type: 'certificate', meta: stored(ref) } })
    expect(await ended(placed.json.order_ref)).toMatchObject(
      failed('The private_key is encrypted, and there is no passphrase that may be used'),
    )
    expect(await ordered(stored(ref))).toMatchObject({ status: 'ACTIVE' })
  })

  issues('shows the members of meta that clients know, and no other', async () => {
    const meta = { name: ' a ', request_data: base64(requests.p256), requestor_name: 'b', foo: [[['c']]], ca_id: null }
    const view = await ordered({ ...meta, extensions: [[]] })
    expect(view).toMatchObject({ status: 'ACTIVE' })
    expect(view.meta).toEqual({ name: 'a', request_data: base64(requests.p256), requestor_name: 'b' })
    const extensions = 'subjectAltName=DNS:a.example'
    const pair = await keyPair()
    expect((await ordered(stored(pair, { extensions }))).meta).toEqual(stored(pair))
  })
})

describe('PUT /v1/orders/{id}', () => {
  const issues = itDiffers('order types')

  issues('PUT of a failed certificate order replaces its meta and runs it', async () => {
    const view = await ordered(simple(requests.sha1))
    expect(view.status).toBe('ERROR')
    const answer = await send('PUT', view.order_ref, { json: { type: 'certificate', meta: simple(requests.p256) } })
    expect(answer.status).toBe(204)
    const after = await ended(view.order_ref)
    expect(after).toMatchObject({ status: 'ACTIVE', meta: simple(requests.p256) })
    expect(after).not.toHaveProperty('error_reason')
  })

  issues('PUT of an order that is ACTIVE or of another type is 400', async () => {
    const active = await ordered(simple(requests.p256))
    const again = await send('PUT', active.order_ref, { json: { meta: simple(requests.p256) } })
    expectRefusal(again, 400, 'Only PENDING orders can be updated. Order is in the ACTIVE state.')
    const key = await send('POST', '/v1/orders', { json: { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } } })
    const other = await send('PUT', key.json.order_ref, { json: { meta: {} } })
    expectRefusal(other, 400, 'Updates are not supported for order type key.')
  })

  const request = { request_type: 'simple-cmc' }
  const stored = { request_type: 'stored-key', container_ref: 'x', subject_dn: 'cn=a' }
  issues.each<[object, string]>([
    [{ request_type: 'foo' }, 'Invalid Certificate Request Type'],
    [{ request_type: 'full-cmc' }, 'Full CMC Requests are not yet supported.'],
    [request, 'Missing required metadata field for request_data'],
    [{ ...request, request_data: '***' }, 'Unable to decode request data.'],
    [{ ...request, request_data: '' }, 'Invalid PKCS10 Data: Bad format'],
    [simple(requests.changed), 'Invalid PKCS10 Data: Signing key incorrect'],
    [{ ...stored, subject_dn: 'foo' }, 'Invalid subject DN: foo'],
    [{ ...stored, subject_dn: 'C=USA' }, 'Invalid subject DN: C has more than 2 characters'],
    [{ ...stored, extensions: 'abc' }, 'Extensions are not yet supported.  Specify a valid profile instead.'],
  ])('PUT of an order with the meta %j is 400', async (meta, description) => {
    const { order_ref: ref } = await ordered({})
    expectRefusal(await send('PUT', ref, { json: { meta } }), 400, description)
    expect((await send('GET', ref)).json).toMatchObject({ status: 'ERROR', meta: {} })
  })

  issues(
    'PUT of an order has the usual refusals of callers without the right, absent orders and bodies that are not JSON',
    async () => {
      const { order_ref: ref } = await ordered({})
      const json = { meta: simple(requests.p256) }
      const reader = await person(['reader'], { projectId: who.projectId })
      const stranger = await owner()
      expectRefusal(await callAs(() => reader)('PUT', ref, { json }), 403, notPermitted('Order update'))
      expectRefusal(await callAs(() => stranger)('PUT', ref, { json }), 404, 'Order not found.')
      expectRefusal(await send('PUT', '/v1/orders/x', { json }), 404, 'Order not found.')
      expectRefusal(await send('PUT', ref, { body: '{}' }), 415, wrongType("['application/json']"))
      expectRefusal(
        await send('PUT', ref, { json: {} }),
        400,
        mismatch('Order', "'meta' is a required property", 'meta'),
      )
      expectRefusal(
        await send('PUT', ref, { json: { meta: 1 } }),
        400,
        mismatch('Order', "1 is not of type 'object'", 'meta'),
      )
      expect(await ended(ref)).toMatchObject({ status: 'ERROR', meta: {} })
    },
  )
})

describe('DELETE /v1/containers/{id}?revoke=true', () => {
  const issues = itDiffers('order types')

  issues('DELETE of a container with revoke=true revokes the certificate that was issued into it', async () => {
    const view = await ordered(simple(requests.p256))
    const { id } = await authority()
    const list = async () => (await send('GET', `/v1/cas/${id}/crl`, { headers: { Accept: '*/*' } })).text
    const before = await list()
    expect((await send('DELETE', `${view.container_ref}?revoke=true`)).status).toBe(204)
    const after = await list()
    expect(after).toMatch(/^-----BEGIN X509 CRL-----\n/)
    expect(after.length).toBeGreaterThan(before.length)
    expect((await send('GET', view.container_ref)).status).toBe(404)
  })

  issues(
    'DELETE of a container with revoke=true is 400 and deletes nothing when there is no certificate to revoke',
    async () => {
      const { json } = await send('POST', '/v1/containers', { json: { type: 'generic' } })
      const answer = await send('DELETE', `${json.container_ref}?revoke=true`)
      const reason = 'The container holds no certificate that can be revoked'
      expectRefusal(answer, 400, `Container deletion issue seen - ${reason}.`)
      expect((await send('GET', json.container_ref)).status).toBe(200)
    },
  )
})

describe('GET /v1/cas', () => {
  const issues = itDiffers('order types')

  issues('GET /v1/cas lists the one authority, and shows it in the form that clients read', async () => {
    const [one, two] = await Promise.all([send('GET', '/v1/cas'), send('GET', '/v1/cas')])
    expect(one.json).toEqual({ cas: [expect.stringMatching(new RegExp(`^${base}/v1/cas/[0-9a-f-]{36}$`))], total: 1 })
    expect(two.json).toEqual(one.json)
    const { json } = await send('GET', one.json.cas[0])
    expect(json).toMatchObject({ status: 'ACTIVE', plugin_name: 'portcullis', meta: [{ name: 'Portcullis' }, {}] })
    expect(Date.parse(`${json.expiration}Z`)).toBeGreaterThan(Date.now())
  })

  issues('GET of an unknown authority is 404', async () => {
    for (const part of ['', '/cacert', '/crl', '/intermediates']) {
      expectRefusal(await send('GET', `/v1/cas/x${part}`), 404, 'Not Found. Certificate authority not found.')
    }
  })
})
