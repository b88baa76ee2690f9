/** An operation whose batch fails at any of its statements leaves every table as it was. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '../../src/caller.ts'
import { readConfig, type Environment } from '../../src/config.ts'
import { deleteAcl, setAcl } from '../../src/state/acls.ts'
import { connect } from '../../src/state/connect.ts'
import type { Backend } from '../../src/state/backend.ts'
import type { Registration } from '../../src/state/entities.ts'
import { changeSecretConsumer } from '../../src/state/object/consumer-mutations.ts'
import { addToContainer, containerRows, createContainer } from '../../src/state/containers/containers.ts'
import { findContainer, removeFromContainer } from '../../src/state/containers/containers.ts'
import { byService } from '../../src/state/scope.ts'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { saveOrder, saveResult } from '../../src/state/object/order-mutations.ts'
import { replaceMetadata } from '../../src/state/secrets/secret-metadata.ts'
import { createSecret, findSecret, sealedRow, type NewSecret } from '../../src/state/secrets/secrets.ts'
import { databaseOf } from '../support/backend.ts'

const NOW = '2026-11-22T00:00:00.000000'
const bindings = env as unknown as Environment
const caller: Caller = { userId: 'somebody', projectId: 'half-done', roles: [], cloudAdmin: false }
const described: NewSecret = {
  name: null,
  secretType: 'opaque',
  algorithm: null,
  mode: null,
  bitLength: null,
  expiration: null,
  contentType: 'text/plain',
  payload: new TextEncoder().encode('payload'),
}

/**
 * A database that inserts a failing statement at `place` into each batch. `seen` records the size of the largest batch.
 */
function failingAt(place: number, seen: { statements: number }): D1Database {
  const { DB } = bindings
  return databaseOf({
    prepare: (query) => DB.prepare(query),
    batch: (statements) => {
      seen.statements = Math.max(seen.statements, statements.length)
      return DB.batch(statements.toSpliced(place, 0, DB.prepare("select json('{')")))
    },
  })
}

async function backendWith(DB: D1Database): Promise<Backend> {
  return connect({ ...bindings, DB }, await readConfig(bindings), NOW, byService('Test'))
}

async function everything(): Promise<string> {
  const tables = await bindings.DB.prepare(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '\\_cf%' escape '\\' order by name",
  ).all<{ name: string }>()
  const rows = []
  for (const { name } of tables.results)
    rows.push([name, (await bindings.DB.prepare(`select * from "${name}"`).all()).results])
  return JSON.stringify(rows)
}

let secretId: string
let otherId: string
let containerId: string
const orderId = crypto.randomUUID()

beforeAll(async () => {
  const backend = await backendWith(bindings.DB)
  secretId = await createSecret(backend, caller, described)
  otherId = await createSecret(backend, caller, described)
  containerId = await createContainer(backend, caller, {
    name: 'c',
    type: 'generic',
    secrets: [{ name: 'a', secretId }],
  })
  await changeSecretConsumer(backend, 'add', await registration(backend, 'there'))
  await saveOrder(backend, { order: await order(backend, orderId), secret: null })
  await setAcl(backend, 'secret', await findSecret(backend, secretId), { projectAccess: false, users: ['u'] }, true)
})

const registration = async (backend: Backend, resourceId: string): Promise<Registration<'secret'>> => ({
  id: crypto.randomUUID(),
  entityId: secretId,
  entityProjectId: caller.projectId,
  entityMac: (await findSecret(backend, secretId)).mac,
  projectId: caller.projectId,
  identity: { service: 's', resourceType: 't', resourceId },
})

const order = (backend: Backend, id: string) =>
  withMac(backend, 'orders', {
    id,
    projectId: caller.projectId,
    creatorId: caller.userId,
    type: 'asymmetric',
    meta: '{}',
    contentType: null,
    status: 'PENDING',
    created: NOW,
    updated: NOW,
  })

const operations: Record<string, (backend: Backend) => Promise<unknown>> = {
  'creating a container': (backend) =>
    createContainer(backend, caller, { name: null, type: 'generic', secrets: [{ name: 'a', secretId }] }),
  'adding a secret to a container': async (backend) =>
    addToContainer(backend, await findContainer(backend, containerId), { name: 'b', secretId: otherId }),
  'taking a secret out of a container': async (backend) =>
    removeFromContainer(backend, await findContainer(backend, containerId), { name: 'a', secretId }, 'ref'),
  'registering a consumer': async (backend) => changeSecretConsumer(backend, 'add', await registration(backend, 'new')),
  'taking a consumer away': async (backend) =>
    changeSecretConsumer(backend, 'delete', await registration(backend, 'there')),
  'setting an ACL': async (backend) =>
    setAcl(backend, 'secret', await findSecret(backend, secretId), { projectAccess: true, users: ['x', 'y'] }, true),
  'deleting an ACL': async (backend) => deleteAcl(backend, 'secret', await findSecret(backend, secretId)),
  'replacing metadata': async (backend) =>
    replaceMetadata(backend, await findSecret(backend, secretId), new Map([['k', 'v']])),
  'placing an order with its key': async (backend) =>
    saveOrder(backend, {
      order: await order(backend, crypto.randomUUID()),
      secret: await sealedRow(backend, caller, described),
    }),
  'ending an order with its result': async (backend) => {
    const secret = await sealedRow(backend, caller, described)
    const members = [{ name: 'private_key', secretId: secret.id }]
    const { mac } = await order(backend, orderId)
    const made = await containerRows(backend, caller, { name: null, type: 'rsa', secrets: members })
    const ended = { orderId, mac, projectId: caller.projectId, subStatus: 'Unknown', subStatusMessage: 'Unknown' }
    return saveResult(backend, { ...ended, ...made, secrets: [secret] })
  },
}

describe.each(Object.entries(operations))('%s', (name, operate) => {
  it(`an operation that fails at any of its statements leaves nothing behind: ${name}`, async () => {
    const before = await everything()
    const seen = { statements: 0 }
    for (let place = 0; place === 0 || place <= seen.statements; place += 1) {
      const backend = await backendWith(failingAt(place, seen))
      await expect(operate(backend)).rejects.toThrow()
      expect(await everything()).toBe(before)
    }
    expect(seen.statements).toBeGreaterThan(0)
  })
})

describe('an order with its key', () => {
  it('an order with its key is stored completely when no statement fails, so the failures above are the injected ones', async () => {
    const backend = await backendWith(bindings.DB)
    const before = await everything()
    await operations['placing an order with its key']?.(backend)
    expect(await everything()).not.toBe(before)
  })
})
