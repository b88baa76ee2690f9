/** Ready for several databases: new ids name the shard in their last byte, and references of containers are bound to their project. */
import { describe, expect, it } from 'vitest'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { newRowId } from '../../src/state/row-ids.ts'
import { backendAt } from '../support/backend.ts'
import { call, database } from '../support/client.ts'
import { owner } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

const VERSION_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

describe('the id of a new row', () => {
  it('a new id is a random UUID of version 4 whose last 8 bits are the shard, which is 0 today', () => {
    const ids = Array.from({ length: 1_000 }, newRowId)
    expect(ids.filter((id) => !VERSION_4.test(id) || !id.endsWith('00'))).toEqual([])
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('every id that the service stores for a new secret, container, order, consumer and event names the shard', async () => {
    const who = await owner()
    const { token } = who
    const ref = await secret(who)
    const json = { type: 'generic', secret_refs: [{ name: 'a', secret_ref: ref }] }
    expect((await call('POST', '/v1/containers', { token, json })).status).toBe(201)
    const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }
    expect((await call('POST', '/v1/orders', { token, json: order })).status).toBe(202)
    const consumer = { service: 's', resource_type: 't', resource_id: 'r' }
    expect((await call('POST', `${ref}/consumers`, { token, json: consumer })).status).toBe(200)
    for (const table of ['secrets', 'containers', 'orders', 'secret_consumers', 'audit_events']) {
      const ofProject = `select id from ${table} where project_id = ?`
      const { results } = await database.prepare(ofProject).bind(who.projectId).all<{ id: string }>()
      expect(results.length, table).toBeGreaterThan(0)
      expect(
        results.filter(({ id }) => !id.endsWith('00')),
        table,
      ).toEqual([])
    }
    expect(who.projectId.endsWith('00')).toBe(true)
  })

  it('the shard in an id is a hint alone: a secret with any other last byte is read, changed and deleted', async () => {
    const who = await owner()
    const { token } = who
    const ref = await secret(who)
    const imported = `${idOf(ref).slice(0, -2)}7f`
    const backend = await backendAt('2026-11-22T00:00:00.000000')
    const row = await database.prepare('select * from secrets where id = ?').bind(idOf(ref)).first()
    const named = Object.fromEntries(
      Object.entries(row ?? {}).map(([name, value]) => [
        name.replaceAll(/_(\w)/g, (_, one) => one.toUpperCase()),
        value,
      ]),
    )
    const { mac } = await withMac(backend, 'secrets', { ...named, id: imported, sealed: null } as never)
    const update = 'update secrets set id = ?, mac = ?, sealed = null, key_version = null where id = ?'
    await database.prepare(update).bind(imported, mac, idOf(ref)).run()
    const path = `/v1/secrets/${imported}`
    expect((await call('GET', path, { token })).status).toBe(200)
    expect((await call('PUT', `${path}/acl`, { token, json: { read: { users: ['u'] } } })).status).toBe(200)
    expect((await call('DELETE', path, { token })).status).toBe(204)
  })
})

describe('a reference of a container', () => {
  const member = { containerId: 'container', secretId: 'secret', name: 'name' }

  it('a reference is authenticated under the key of its project: the same reference in another has another MAC', async () => {
    const backend = await backendAt('2026-11-22T00:00:00.000000')
    const macs = await Promise.all(
      ['one', 'other', 'one'].map(
        async (projectId) => (await withMac(backend, 'containerSecrets', { ...member, projectId })).mac,
      ),
    )
    expect(macs[0]).toBe(macs[2])
    expect(macs[0]).not.toBe(macs[1])
  })
})
