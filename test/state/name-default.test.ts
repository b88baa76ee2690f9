/** `NAME_DEFAULT`: whether a secret that is created without a name has its id as its name. */
import { beforeAll, describe, expect, it } from 'vitest'
import { isolate } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'

describe('NAME_DEFAULT', () => {
  let who: Person
  const services = { none: isolate({ NAME_DEFAULT: 'none' }), id: isolate({ NAME_DEFAULT: 'id' }), unset: isolate() }
  type Service = keyof typeof services
  const send = (service: Service, method: string, path: string, json?: unknown) =>
    services[service](method, path, { token: who.token, json })
  const name = async (service: Service, ref: string) => (await send(service, 'GET', ref)).json.name
  const made = async (service: Service, json: object) =>
    (await send(service, 'POST', '/v1/secrets', json)).json.secret_ref as string

  async function ordered(service: Service, type: string, meta: object) {
    const { json } = await send(service, 'POST', '/v1/orders', { type, meta })
    return (await send(service, 'GET', json.order_ref)).json
  }

  beforeAll(async () => {
    who = await owner()
  })

  const key = { algorithm: 'aes', bit_length: 256, mode: 'cbc' }
  const pair = { algorithm: 'ec', bit_length: 256, passphrase: 'p' }

  it.each([{}, { name: null }, { payload: 'x', payload_content_type: 'text/plain' }])(
    'with NAME_DEFAULT=id a secret made of %j has its id as its name',
    async (members) => {
      const ref = await made('id', members)
      expect(await name('id', ref)).toBe(idOf(ref))
      const list = await send('id', 'GET', `/v1/secrets?name=${idOf(ref)}`)
      expect(list.json.secrets).toMatchObject([{ secret_ref: ref }])
    },
  )

  it("with NAME_DEFAULT=id the key that an order makes has its id as its name, and the order's meta shows no name", async () => {
    const order = await ordered('id', 'key', key)
    expect(order.meta.name).toBeNull()
    expect(await name('id', order.secret_ref)).toBe(idOf(order.secret_ref))
  })

  it('with NAME_DEFAULT=id each part of a key pair has its id as its name', async () => {
    const order = await ordered('id', 'asymmetric', pair)
    const container = (await send('id', 'GET', order.container_ref)).json
    const parts: { name: string; secret_ref: string }[] = container.secret_refs
    expect(parts.map((part) => part.name).toSorted()).toEqual(['private_key', 'private_key_passphrase', 'public_key'])
    for (const { secret_ref: ref } of parts) expect(await name('id', ref)).toBe(idOf(ref))
  })

  it('with NAME_DEFAULT=id a given name is kept, also an empty one', async () => {
    expect(await name('id', await made('id', { name: 'given' }))).toBe('given')
    expect(await name('id', await made('id', { name: '' }))).toBe('')
    expect(await name('id', (await ordered('id', 'key', { ...key, name: 'given' })).secret_ref)).toBe('given')
  })

  it.each(['none', 'unset'] as const)('with NAME_DEFAULT %s a secret without a name has none', async (service) => {
    expect(await name(service, await made(service, {}))).toBeNull()
    expect(await name(service, (await ordered(service, 'key', key)).secret_ref)).toBeNull()
  })

  it('any other value of NAME_DEFAULT is refused with 503', async () => {
    const answer = await isolate({ NAME_DEFAULT: 'uuid' })('GET', '/v1')
    expect([answer.status, answer.json.description]).toEqual([503, expect.stringContaining('NAME_DEFAULT')])
  })
})
