/** `SECRET_STORES=multiple`: a service with two secret stores, of which a project may prefer one. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, type Answer } from '../support/client.ts'
import { owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'
import { workerWith } from '../support/worker-with.ts'

const noPreference = 'Not Found. No preferred secret store defined for this project.'

let who: Person
let nobody: Person
beforeAll(async () => {
  who = await owner()
  nobody = await person(['reader'])
})

describe('the secret stores of a service with two', () => {
  const multiple = workerWith({ SECRET_STORES: 'multiple' })
  const send = (method: string, path: string, by = who): Promise<Answer> => multiple(method, path, { token: by.token })

  it('two secret stores are listed completely, one of them as the global default', async () => {
    const answer = await send('GET', '/v1/secret-stores')
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(['secret_stores'])
    const { secret_stores: stores } = answer.json
    expect(stores).toHaveLength(2)
    expect(stores.map((one: { global_default: boolean }) => one.global_default)).toEqual([true, false])
    for (const store of stores) {
      expect(store).toEqual({
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        updated: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        status: 'ACTIVE',
        crypto_plugin: 'simple_crypto',
        global_default: expect.any(Boolean),
        name: expect.any(String),
        secret_store_plugin: 'store_crypto',
        secret_store_ref: expect.stringMatching(new RegExp(`^${base}/v1/secret-stores/[0-9a-f-]{36}$`)),
      })
      expect((await send('GET', store.secret_store_ref)).json).toEqual(store)
    }
    expect((await send('GET', '/v1/secret-stores/global-default')).json).toEqual(stores[0])
  })

  it('a project can prefer one of two secret stores, replace its choice and remove it', async () => {
    const admin = await owner()
    const [first, second] = (await send('GET', '/v1/secret-stores', admin)).json.secret_stores
    const preferred = '/v1/secret-stores/preferred'
    expectRefusal(await send('GET', preferred, admin), 404, noPreference)
    expectRefusal(await send('DELETE', `${first.secret_store_ref}/preferred`, admin), 404, noPreference)
    for (const store of [first, second, second]) {
      const answer = await send('POST', `${store.secret_store_ref}/preferred`, admin)
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect((await send('GET', preferred, admin)).json).toEqual(store)
    }
    expectRefusal(await send('GET', preferred), 404, noPreference)
    expect((await send('DELETE', `${second.secret_store_ref}/preferred`, admin)).status).toBe(204)
    expectRefusal(await send('GET', preferred, admin), 404, noPreference)
  })

  it('secrets in either of two secret stores are readable, whichever is preferred later', async () => {
    const admin = await owner()
    const { token } = admin
    const stores = (await send('GET', '/v1/secret-stores', admin)).json.secret_stores
    const refs: string[] = []
    for (const store of [...stores, null]) {
      if (store) await send('POST', `${store.secret_store_ref}/preferred`, admin)
      else await send('DELETE', `${stores[0].secret_store_ref}/preferred`, admin)
      const json = { payload: `in ${refs.length}`, payload_content_type: 'text/plain' }
      refs.push((await multiple('POST', '/v1/secrets', { token, json })).json.secret_ref)
    }
    for (const [i, ref] of refs.entries()) {
      const answer = await multiple('GET', `${ref}/payload`, { token, headers: { Accept: 'text/plain' } })
      expect(answer.text).toBe(`in ${i}`)
    }
  })

  it('an unknown secret store is 404', async () => {
    for (const id of ['abc', '11111111-1111-4111-8111-111111111111']) {
      expectRefusal(await send('GET', `/v1/secret-stores/${id}`), 404, 'Not Found. Secret store not found.')
      expectRefusal(await send('POST', `/v1/secret-stores/${id}/preferred`), 404, 'Not Found. Secret store not found.')
    }
  })

  it('only an administrator may prefer a secret store, and anyone with a role may read one', async () => {
    const creator = await person(['creator'])
    const [first] = (await send('GET', '/v1/secret-stores', creator)).json.secret_stores
    const path = `${first.secret_store_ref}/preferred`
    expectRefusal(await send('POST', path, creator), 403, notPermitted('Setting preferred secret store'))
    expectRefusal(await send('DELETE', path, creator), 403, notPermitted('Removing preferred secret store'))
    expectRefusal(await send('GET', first.secret_store_ref, nobody), 403, notPermitted('Secret store retrieval'))
  })

  it('a method that a route of secret stores does not have is 405 with the methods that it has', async () => {
    const [first] = (await send('GET', '/v1/secret-stores')).json.secret_stores
    const answer = await send('GET', `${first.secret_store_ref}/preferred`)
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('DELETE, POST')
    expect((await send('DELETE', first.secret_store_ref)).headers.get('Allow')).toBe('GET')
  })

  it('secret stores under a tenant path have refs of the same form', async () => {
    const root = `${base}/v1/${who.projectId}/secret-stores`
    const { secret_stores: stores } = (await send('GET', root)).json
    expect(stores[1].secret_store_ref).toBe(`${root}/${idOf(stores[1].secret_store_ref)}`)
    expect((await send('GET', stores[1].secret_store_ref)).json).toEqual(stores[1])
  })
})
