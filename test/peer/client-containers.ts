/** Steps of the stock client with containers, access control lists and consumers. Every step checks the response. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { create, listContainers, partsOf, showContainer } from './client-resources.ts'
import { expectColumn, expectColumns, list, refuse, succeed, text, uniqueName, type Session } from './openstack.ts'
import { runToSuccess, words } from './process.ts'

type Parts = Readonly<Record<string, string>>

const store = (session: Session, ...args: readonly string[]): Promise<string> =>
  create(session, 'Secret href', 'secret', 'store', ...args)

/** Stores one secret for each name; the key manager does not validate their payloads. */
async function storeParts(session: Session, types: Readonly<Record<string, string>>): Promise<Parts> {
  const parts: Record<string, string> = {}
  for (const [name, type] of Object.entries(types))
    parts[name] = await store(session, '--name', uniqueName(name), '--secret-type', type, '--payload', name)
  return parts
}

const createContainer = (session: Session, type: string, name: string, parts: Parts): Promise<string> =>
  create(
    session,
    'Container href',
    ...words`secret container create --type ${type} --name ${name}`,
    ...Object.entries(parts).flatMap(([part, ref]) => ['--secret', `${part}=${ref}`]),
  )

async function deleteSecrets(session: Session, parts: Parts): Promise<void> {
  for (const ref of Object.values(parts)) await succeed(session, 'secret', 'delete', ref)
}

async function containerLife(session: Session, type: string, types: Readonly<Record<string, string>>): Promise<void> {
  const { step } = session.report
  const name = uniqueName(type)
  const parts = await step(`secret store of the parts of a ${type} container`, () => storeParts(session, types))
  const ref = await step(`secret container create --type ${type}`, () => createContainer(session, type, name, parts))
  await step(`secret container get (${type})`, async () => {
    const shown = await showContainer(session, ref)
    expectColumns(shown, { 'Container href': ref, Name: name, Status: 'ACTIVE', Type: type, Consumers: null })
    assert.deepEqual({ ...partsOf(shown) }, parts)
  })
  await step(`secret container list --name --type (${type})`, async () => {
    expectColumn(await listContainers(session, '--name', name, '--type', type), 'Container href', [ref])
    assert.deepEqual(await list(session, 'secret', 'container', 'list', '--name', uniqueName('nobody')), [])
  })
  await step(`secret container delete (${type})`, () => succeed(session, 'secret', 'container', 'delete', ref))
  await step(`secret container get after secret container delete is refused (${type})`, () =>
    refuse(session, /Not Found: .*[Cc]ontainer/, 'secret', 'container', 'get', ref),
  )
  await step(`the secrets of a ${type} container outlive it`, () => deleteSecrets(session, parts))
}

async function refusedContainers(session: Session): Promise<void> {
  const { step } = session.report
  const parts = await storeParts(session, { public_key: 'public' })
  await step('secret container create --type rsa without a private key is refused', () =>
    refuse(
      session,
      /Bad Request: /,
      ...words`secret container create --type rsa --secret public_key=${String(parts.public_key)}`,
    ),
  )
  const missing = String(parts.public_key).replace(/[^/]+$/, randomUUID())
  await step('secret container create with a missing secret is refused', () =>
    refuse(session, /Not Found: /, 'secret', 'container', 'create', '--secret', `missing=${missing}`),
  )
  await deleteSecrets(session, parts)
}

/** Uses two random user ids, because the users of an ACL need not exist. */
async function aclLife(session: Session, kind: string, ref: string): Promise<void> {
  const { step } = session.report
  const [first, second] = [randomUUID().replaceAll('-', ''), randomUUID().replaceAll('-', '')]
  const acl = async (...args: readonly string[]) => {
    const rows = await list(session, 'acl', ...args)
    assert.equal(rows.length, 1)
    const [row] = rows
    assert.ok(row && Array.isArray(row.Users))
    return { operation: row['Operation Type'], project: row['Project Access'], users: row.Users.map(String).toSorted() }
  }
  const untouched = { operation: 'read', project: true, users: [] }
  const both = { operation: 'read', project: false, users: [first, second].toSorted() }
  await step(`acl get of a ${kind} without one`, async () => assert.deepEqual(await acl('get', ref), untouched))
  await step(`acl submit --user --no-project-access (${kind})`, async () =>
    assert.deepEqual(await acl('submit', ref, '--user', first, '--no-project-access'), { ...both, users: [first] }),
  )
  await step(`acl user add (${kind})`, async () =>
    assert.deepEqual(await acl('user', 'add', ref, '--user', second), both),
  )
  await step(`acl get (${kind})`, async () => assert.deepEqual(await acl('get', ref), both))
  await step(`acl user remove (${kind})`, async () =>
    assert.deepEqual(await acl('user', 'remove', ref, '--user', first), { ...both, users: [second] }),
  )
  await step(`acl submit replaces what was set (${kind})`, async () =>
    assert.deepEqual(await acl('submit', ref, '--user', first), { operation: 'read', project: true, users: [first] }),
  )
  await step(`acl delete (${kind})`, () => succeed(session, 'acl', 'delete', ref))
  await step(`acl get after acl delete (${kind})`, async () => assert.deepEqual(await acl('get', ref), untouched))
}

async function acls(session: Session): Promise<void> {
  const { step } = session.report
  const secret = await store(session, '--name', uniqueName('acl'), '--payload', 'x')
  const container = await createContainer(session, 'generic', uniqueName('acl'), { part: secret })
  await session.report.scenario('the ACL of a secret', () => aclLife(session, 'secret', secret))
  await session.report.scenario('the ACL of a container', () => aclLife(session, 'container', container))
  await succeed(session, 'secret', 'container', 'delete', container)
  await succeed(session, 'secret', 'delete', secret)
  await step('acl get of a missing secret is refused', () => refuse(session, /Not Found: /, 'acl', 'get', secret))
}

async function consumerLife(session: Session, kind: 'container' | 'secret', ref: string, consumers: readonly object[]) {
  const { step } = session.report
  const call = async (action: string, consumer?: object): Promise<unknown> => {
    const program = join(import.meta.dirname, 'consumers.py')
    const rest = consumer ? [JSON.stringify(consumer)] : []
    const { environment } = session
    return JSON.parse(await runToSuccess('/usr/bin/python3', [program, kind, action, ref, ...rest], { environment }))
  }
  const sorted = (rows: unknown): string[] => (rows as object[]).map((row) => JSON.stringify(row)).toSorted()
  const [first, second] = consumers
  await step(`consumers: register one (${kind})`, async () => assert.deepEqual(await call('register', first), [first]))
  await step(`consumers: register another one (${kind})`, async () =>
    assert.deepEqual(sorted(await call('register', second)), sorted([first, second])),
  )
  await step(`consumers: registering again changes nothing (${kind})`, async () =>
    assert.deepEqual(sorted(await call('register', second)), sorted([first, second])),
  )
  await step(`consumers: remove one (${kind})`, async () => assert.deepEqual(await call('remove', first), [second]))
  await step(`consumers: list (${kind})`, async () => assert.deepEqual(await call('list'), [second]))
  await step(`consumers: remove the last one (${kind})`, async () => assert.deepEqual(await call('remove', second), []))
}

async function consumers(session: Session): Promise<void> {
  const secret = await store(session, '--name', uniqueName('consumed'), '--payload', 'x')
  const container = await createContainer(session, 'generic', uniqueName('consumed'), { part: secret })
  await session.report.scenario('consumers of a container', () =>
    consumerLife(session, 'container', container, [
      { name: 'octavia', URL: 'https://balancer.example/one' },
      { name: 'octavia', URL: 'https://balancer.example/two' },
    ]),
  )
  await session.report.scenario('consumers of a secret', () =>
    consumerLife(session, 'secret', secret, [
      { service: 'cinder', resource_type: 'volume', resource_id: randomUUID() },
      { service: 'glance', resource_type: 'image', resource_id: randomUUID() },
    ]),
  )
  const { step } = session.report
  await step('secret container get shows consumers', async () => {
    const consumer = JSON.stringify({ name: 'nova', URL: 'https://server.example/' })
    const program = [join(import.meta.dirname, 'consumers.py'), 'container', 'register', container, consumer]
    await runToSuccess('/usr/bin/python3', program, { environment: session.environment })
    assert.match(text(await showContainer(session, container), 'Consumers'), /nova/)
  })
  await succeed(session, 'secret', 'container', 'delete', container)
  await succeed(session, 'secret', 'delete', secret)
}

/** Containers of every type, the ACLs of secrets and containers, and the consumers of both. */
export async function containersAclsConsumers(session: Session): Promise<void> {
  const { report } = session
  const keys = { public_key: 'public', private_key: 'private', private_key_passphrase: 'passphrase' }
  const { public_key: _, ...certificateKeys } = keys
  const types = {
    generic: { one: 'opaque', two: 'symmetric' },
    rsa: keys,
    certificate: { certificate: 'certificate', intermediates: 'certificate', ...certificateKeys },
  }
  for (const [type, parts] of Object.entries(types))
    await report.scenario(`a ${type} container`, () => containerLife(session, type, parts))
  await report.scenario('refused containers', () => refusedContainers(session))
  await report.scenario('ACLs', () => acls(session))
  await report.scenario('consumers', () => consumers(session))
}
