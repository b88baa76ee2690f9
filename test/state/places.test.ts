/** Where the Durable Objects of projects are made. The platform's places do not exist on this machine. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { placedObjects, type ProjectNamespace } from '../../src/state/places.ts'
import { call, isolate } from '../support/client.ts'
import { owner } from '../support/people.ts'
import { idOf } from '../support/stored.ts'

const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }
const { PROJECT } = env as unknown as Environment

/** Stands for the platform's binding: reports how each object was asked for. */
function recording(asked: unknown[], within: string | null = null): ProjectNamespace {
  return {
    getByName: (name, options) => {
      asked.push([within, name, options?.locationHint])
      return PROJECT.getByName(name)
    },
    idFromName: (name) => PROJECT.idFromName(name),
    jurisdiction: (jurisdiction) => recording(asked, jurisdiction),
  }
}

describe('the objects of projects', () => {
  it.each([
    ['', '', [null, 'a', undefined]],
    ['weur', '', [null, 'a', 'weur']],
    ['', 'eu', ['eu', 'a', undefined]],
    ['eeur', 'eu', ['eu', 'a', 'eeur']],
  ] as const)(
    'with OBJECT_LOCATION=%s and JURISDICTION=%s an object is asked for as %j',
    (location, jurisdiction, how) => {
      const asked: unknown[] = []
      placedObjects(recording(asked), { location, jurisdiction }).getByName('a')
      expect(asked).toEqual([how])
    },
  )

  it('every call of an object is made at its place: for orders, consumers and the audit log', async () => {
    const asked: unknown[] = []
    const who = await owner()
    const ask = isolate({ POLICY: 'both', PROJECT: recording(asked), OBJECT_LOCATION: 'weur', JURISDICTION: 'eu' })
    const placed = await ask('POST', '/v1/orders', { token: who.token, json: order })
    expect(placed.status).toBe(202)
    const consumer = { service: 's', resource_type: 't', resource_id: 'r' }
    const made = await ask('POST', '/v1/secrets', { token: who.token, json: {} })
    const path = `/v1/secrets/${idOf(made.json.secret_ref)}/consumers`
    const headers = { 'OpenStack-API-Version': 'key-manager 1.1' }
    expect((await ask('POST', path, { token: who.token, json: consumer, headers })).status).toBe(200)
    expect((await ask('GET', '/v1/audit?head=true', { token: who.token })).status).toBe(200)
    expect(asked.length).toBeGreaterThanOrEqual(3)
    expect(new Set(asked.map((how) => JSON.stringify(how)))).toEqual(
      // The object of the deployment is asked whether the service is read-only.
      new Set([`["eu","${who.projectId}","weur"]`, '["eu","the deployment","weur"]']),
    )
  })

  it('a location hint alone does not change which object is meant', async () => {
    const who = await owner()
    const placed = await isolate({ OBJECT_LOCATION: 'oc' })('POST', '/v1/orders', { token: who.token, json: order })
    expect((await call('GET', placed.json.order_ref, { token: who.token })).json.status).toBe('ACTIVE')
  })

  it('a Worker whose runtime does not know the jurisdiction serves nothing and says so', async () => {
    const answer = await isolate({ JURISDICTION: 'eu' })('GET', '/v1/secrets')
    expect([answer.status, answer.json.description]).toEqual([
      503,
      expect.stringContaining('JURISDICTION eu is refused'),
    ])
  })
})
