/** Steps of the stock client with secrets and orders. Every step checks the response. */
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, randomUUID, sign, verify } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { create, finishedOrder, OCTETS, order, partsOf, payloadOf, REF, showContainer } from './client-resources.ts'
import {
  expectColumn,
  expectColumns,
  list,
  newFile,
  refuse,
  show,
  succeed,
  text,
  uniqueName,
  withPassword,
  type Row,
  type Session,
} from './openstack.ts'
import { words } from './process.ts'

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/

const store = (session: Session, ...args: readonly string[]): Promise<string> =>
  create(session, 'Secret href', 'secret', 'store', ...args)

async function textSecret(session: Session): Promise<void> {
  const { step } = session.report
  const name = uniqueName('text')
  const payload = 'Bär, "quoted", 鍵 🔑'
  const ref = await step('secret store --payload (text)', () =>
    store(session, '--name', name, '--payload', payload, '--payload-content-type', 'text/plain'),
  )
  await step('secret get: the metadata', async () => {
    const shown = await show(session, 'secret', 'get', ref)
    expectColumns(shown, {
      'Secret href': ref,
      Name: name,
      Status: 'ACTIVE',
      'Content types': { default: 'text/plain' },
      Algorithm: 'aes',
      'Bit length': 256,
      'Secret type': 'opaque',
      Mode: 'cbc',
      Expiration: null,
    })
    assert.match(text(shown, 'Created'), ISO_TIME)
  })
  await step('secret get by its id alone', async () =>
    expectColumns(await show(session, 'secret', 'get', ref.slice(-36)), { Name: name }),
  )
  await step('secret get --payload', async () =>
    expectColumns(await show(session, 'secret', 'get', ref, '--payload'), { Payload: payload }),
  )
  await step('secret get --file', async () =>
    assert.equal((await payloadOf(session, ref, 'text/plain')).toString('utf8'), payload),
  )
  await step('secret delete', () => succeed(session, 'secret', 'delete', ref))
  await step('secret get after secret delete is refused', () =>
    refuse(session, /Not Found: Secret not found\./, 'secret', 'get', ref),
  )
}

async function binarySecrets(session: Session): Promise<void> {
  const { step } = session.report
  const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(64)])
  const file = newFile(session)
  await writeFile(file, bytes)
  const ref = await step('secret store --file (binary)', () =>
    store(session, '--name', uniqueName('file'), '--file', file),
  )
  await step('secret get: the content type of a file', async () =>
    expectColumns(await show(session, 'secret', 'get', ref), { 'Content types': { default: OCTETS } }),
  )
  await step('secret get --file (binary)', async () => assert.deepEqual(await payloadOf(session, ref, OCTETS), bytes))
  await step('secret get --payload as text is refused for a binary secret', () =>
    refuse(session, /Not Acceptable/, 'secret', 'get', ref, '--payload'),
  )
  const encoded = await step('secret store --payload (base64, octet-stream)', () =>
    store(
      session,
      ...words`--name ${uniqueName('base64')} --payload ${bytes.toString('base64')}`,
      ...words`--payload-content-type ${OCTETS} --payload-content-encoding base64`,
    ),
  )
  await step('secret get --file returns what base64 stood for', async () =>
    assert.deepEqual(await payloadOf(session, encoded, OCTETS), bytes),
  )
  await step('secret store of octet-stream without an encoding is refused', () =>
    refuse(session, /Bad Request: /, ...words`secret store --payload x --payload-content-type ${OCTETS}`),
  )
  for (const each of [ref, encoded]) await succeed(session, 'secret', 'delete', each)
}

async function unnamedSecret(session: Session): Promise<void> {
  const { step } = session.report
  const ref = await step('secret store without a name', () => store(session, '--payload', 'x'))
  await step('secret get of a secret without a name', async () => {
    const shown = await show(session, 'secret', 'get', ref)
    expectColumns(shown, { 'Secret href': ref, Status: 'ACTIVE' })
    assert.ok(shown.Name === null || shown.Name === ref.slice(-36), `Name is ${JSON.stringify(shown.Name)}`)
  })
  await succeed(session, 'secret', 'delete', ref)
}

async function updatedSecret(session: Session): Promise<void> {
  const { step } = session.report
  const ref = await step('secret store without a payload', () => store(session, '--name', uniqueName('empty')))
  await step('secret get of a secret without a payload', async () =>
    expectColumns(await show(session, 'secret', 'get', ref), { 'Content types': null, Status: 'ACTIVE' }),
  )
  await step('secret update', () => succeed(session, 'secret', 'update', ref, 'second step'))
  await step('secret get --payload after secret update', async () =>
    expectColumns(await show(session, 'secret', 'get', ref, '--payload'), { Payload: 'second step' }),
  )
  await step('secret update of a secret that has a payload is refused', () =>
    refuse(session, /Conflict: /, 'secret', 'update', ref, 'third step'),
  )
  await succeed(session, 'secret', 'delete', ref)
}

/** Asks for versions by `PUT`, which no command of the client does. */
async function replaceByPut(session: Session, ref: string): Promise<void> {
  const token = text(await show(session, 'token', 'issue'), 'id')
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' }
  const answer = await fetch(`${ref}/versioning`, { method: 'PUT', headers, body: JSON.stringify({ put: 'replace' }) })
  assert.equal(answer.status, 200, await answer.text())
}

/** The client knows no versions. It makes one where the secret was set to it, and meets them nowhere else. */
async function replacedSecret(session: Session): Promise<void> {
  const { step } = session.report
  const name = uniqueName('replaced')
  const ref = await store(session, '--name', name)
  await succeed(session, 'secret', 'update', ref, 'first')
  await step('secret update a second time is refused, unless the secret was set to versions', async () => {
    await refuse(session, /Conflict: Secret already has data, cannot modify it\./, 'secret', 'update', ref, 'second')
    expectColumns(await show(session, 'secret', 'get', ref, '--payload'), { Payload: 'first' })
  })
  await replaceByPut(session, ref)
  for (const payload of ['second', 'third'])
    await step(`secret update of a secret that was set to versions: ${payload}`, async () => {
      await succeed(session, 'secret', 'update', ref, payload)
      expectColumns(await show(session, 'secret', 'get', ref, '--payload'), { Payload: payload })
    })
  await step('secret get of a secret that has versions', async () =>
    expectColumns(await show(session, 'secret', 'get', ref), { Name: name, Status: 'ACTIVE', 'Secret href': ref }),
  )
  await step('secret list with a secret that has versions', async () =>
    expectColumn(await list(session, 'secret', 'list', '--name', name), 'Secret href', [ref]),
  )
  await step('secret delete of a secret that has versions', () => succeed(session, 'secret', 'delete', ref))
}

/** Stores four secrets and checks which of them each filter selects. */
async function listedSecrets(session: Session): Promise<void> {
  const { step } = session.report
  const name = uniqueName('listed')
  const expiration = new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)
  const wanted: readonly (readonly string[])[] = [
    ['--secret-type', 'symmetric', '--algorithm', 'aes', '--bit-length', '128', '--mode', 'gcm'],
    ['--secret-type', 'passphrase', '--algorithm', 'none', '--bit-length', '8', '--mode', 'none'],
    ['--secret-type', 'opaque', '--algorithm', 'aes', '--bit-length', '256', '--mode', 'cbc'],
    ['--secret-type', 'symmetric', '--algorithm', 'des', '--bit-length', '128', '--expiration', expiration],
  ]
  const refs: string[] = []
  for (const [index, args] of wanted.entries())
    refs.push(
      await step(`secret store ${args.join(' ').replace(expiration, '<tomorrow>')}`, () =>
        store(session, '--name', index < 3 ? name : `${name}-other`, ...args),
      ),
    )
  await step('secret get shows the expiration', async () =>
    assert.equal(text(await show(session, 'secret', 'get', String(refs[3])), 'Expiration').slice(0, 19), expiration),
  )
  const filters: readonly (readonly [arguments_: readonly string[], expected: readonly number[]])[] = [
    [
      ['--name', name],
      [0, 1, 2],
    ],
    [
      ['--name', name, '--algorithm', 'aes'],
      [0, 2],
    ],
    [['--name', name, '--bit-length', '128'], [0]],
    [['--name', name, '--mode', 'cbc'], [2]],
    [['--name', name, '--secret-type', 'passphrase'], [1]],
    [['--name', `${name}-other`, '--secret-type', 'symmetric'], [3]],
    [['--name', name, '--secret-type', 'certificate'], []],
  ]
  for (const [args, expected] of filters)
    await step(`secret list ${args.join(' ').replace(name, '<name>')}`, async () =>
      expectColumn(
        await list(session, 'secret', 'list', ...args),
        'Secret href',
        expected.map((index) => refs[index]),
      ),
    )
  await step('secret list --limit --offset: pages that neither overlap nor leave out', async () => {
    const pages: Row[] = []
    for (const offset of ['0', '2'])
      pages.push(...(await list(session, 'secret', 'list', '--name', name, '--limit', '2', '--offset', offset)))
    expectColumn(pages, 'Secret href', refs.slice(0, 3))
  })
  for (const ref of refs) await succeed(session, 'secret', 'delete', ref)
}

async function refusals(session: Session): Promise<void> {
  const { step } = session.report
  await step('token issue', async () => {
    const issued = await show(session, 'token', 'issue')
    assert.ok(Date.parse(text(issued, 'expires')) > Date.now(), 'the token has expired')
    for (const column of ['id', 'project_id', 'user_id']) text(issued, column)
  })
  for (const command of ['get', 'delete'])
    await step(`secret ${command} of a missing secret is refused`, () =>
      refuse(session, /Not Found: Secret not found\./, 'secret', command, randomUUID()),
    )
  await step('secret store with an unknown type is refused', () =>
    refuse(session, /Bad Request: /, 'secret', 'store', '--secret-type', 'unknown', '--payload', 'x'),
  )
  await step('secret list with a wrong password is refused', () =>
    refuse(
      withPassword(session, { OS_PASSWORD: 'wrong' }),
      /The request you have made requires authentication\. \(HTTP 401\)/,
      'secret',
      'list',
    ),
  )
}

async function keyOrder(session: Session, bits: number): Promise<void> {
  const { step } = session.report
  const name = uniqueName('key')
  const ref = await step(`secret order create key (${bits} bits)`, () =>
    order(session, 'key', '--name', name, '--algorithm', 'aes', '--bit-length', String(bits), '--mode', 'gcm'),
  )
  const secretRef = await step(`secret order get (${bits} bits)`, async () => {
    const shown = await finishedOrder(session, ref)
    expectColumns(shown, { 'Order href': ref, Type: 'Key', Status: 'ACTIVE', 'Error code': null })
    assert.match(text(shown, 'Secret href'), REF)
    return text(shown, 'Secret href')
  })
  await step(`secret get of the ordered key (${bits} bits)`, async () => {
    const expected = { Name: name, Algorithm: 'aes', 'Bit length': bits, Mode: 'gcm', 'Secret type': 'symmetric' }
    expectColumns(await show(session, 'secret', 'get', secretRef), expected)
    assert.equal((await payloadOf(session, secretRef, OCTETS)).length, bits / 8)
  })
  await step(`secret order list (${bits} bits)`, async () => {
    const orders = await list(session, 'secret', 'order', 'list', '--limit', '100')
    const listed = orders.find((each) => each['Order href'] === ref)
    assert.ok(listed, 'the order is not listed')
    expectColumns(listed, { Type: 'Key', Status: 'ACTIVE', 'Secret href': secretRef })
  })
  await step(`secret order delete (${bits} bits)`, () => succeed(session, 'secret', 'order', 'delete', ref))
  await step(`secret order get after secret order delete is refused (${bits} bits)`, () =>
    refuse(session, /Not Found: Order not found\./, 'secret', 'order', 'get', ref),
  )
  await step(`the ordered key outlives its order (${bits} bits)`, () => succeed(session, 'secret', 'delete', secretRef))
}

async function refusedOrders(session: Session): Promise<void> {
  const { step } = session.report
  await step('secret order create key with 0 bits is refused', () =>
    refuse(session, /Bad Request: /, 'secret', 'order', 'create', 'key', '--bit-length', '0'),
  )
  await step('secret order get of a missing order is refused', () =>
    refuse(session, /Not Found: Order not found\./, 'secret', 'order', 'get', randomUUID()),
  )
}

/** Checks that the keys of an ordered pair match: the public key verifies a signature of the private key. */
async function asymmetricOrder(session: Session): Promise<void> {
  const { step } = session.report
  const name = uniqueName('pair')
  const ref = await step('secret order create asymmetric', () =>
    order(session, 'asymmetric', '--name', name, '--algorithm', 'rsa', '--bit-length', '2048'),
  )
  const containerRef = await step('secret order get (asymmetric)', async () => {
    const shown = await finishedOrder(session, ref)
    expectColumns(shown, { 'Order href': ref, Type: 'Asymmetric', Status: 'ACTIVE', 'Error code': null })
    return text(shown, 'Container href')
  })
  const parts = await step('secret container get of the ordered pair', async () => {
    const shown = await showContainer(session, containerRef)
    expectColumns(shown, { Type: 'rsa', Status: 'ACTIVE' })
    return partsOf(shown)
  })
  await step('secret get --file of both keys of the pair', async () => {
    const [publicKey, privateKey] = [
      await payloadOf(session, String(parts.public_key), OCTETS),
      await payloadOf(session, String(parts.private_key), OCTETS),
    ]
    assert.equal(createPublicKey(publicKey).asymmetricKeyDetails?.modulusLength, 2048)
    const message = Buffer.from('signed by the one, verified by the other')
    assert.ok(
      verify('sha256', message, publicKey, sign('sha256', message, privateKey)),
      'the keys do not belong together',
    )
  })
  await step('secret order list (asymmetric)', async () => {
    const orders = await list(session, 'secret', 'order', 'list', '--limit', '100')
    expectColumns(orders.find((each) => each['Order href'] === ref) ?? {}, { 'Container href': containerRef })
  })
  await step('secret order delete (asymmetric)', () => succeed(session, 'secret', 'order', 'delete', ref))
  await succeed(session, 'secret', 'container', 'delete', containerRef)
  for (const part of Object.values(parts)) await succeed(session, 'secret', 'delete', part)
}

/** Secrets of every kind, lists, refusals and orders of symmetric keys. */
export async function secretsAndOrders(session: Session): Promise<void> {
  const { report } = session
  await report.scenario('refusals', () => refusals(session))
  await report.scenario('a text secret', () => textSecret(session))
  await report.scenario('binary secrets', () => binarySecrets(session))
  await report.scenario('a secret without a name', () => unnamedSecret(session))
  await report.scenario('a secret in two steps', () => updatedSecret(session))
  await report.scenario('a secret that has versions', () => replacedSecret(session))
  await report.scenario('lists of secrets', () => listedSecrets(session))
  for (const bits of [128, 256]) await report.scenario(`an order (${bits} bits)`, () => keyOrder(session, bits))
  await report.scenario('refused orders', () => refusedOrders(session))
}

/** Orders of key pairs. */
export async function asymmetricOrders(session: Session): Promise<void> {
  await session.report.scenario('an asymmetric order', () => asymmetricOrder(session))
}
