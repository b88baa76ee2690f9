/** The demo user of `npm start`: it reaches everything in its project, and passes on less by application credentials. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireDemo, seedDemo, type Demo } from '../../src/local/demo.ts'
import { adminPassword, base, call } from '../support/client.ts'
import { byCredential, identity, tokenIn, unique } from '../support/identity.ts'
import { HOOK_MILLISECONDS } from '../support/people.ts'
import { workerWith } from '../support/worker-with.ts'

let demo: Demo

beforeAll(async () => {
  vi.stubGlobal('fetch', async (url: string, { method = 'GET', headers, body }: RequestInit = {}) => {
    const given = Object.fromEntries(new Headers(headers))
    const answer = await call(method, url, { headers: given, ...(body && { body }) })
    const isEmpty = answer.status === 204
    return new Response(isEmpty ? null : answer.text, { status: answer.status, headers: answer.headers })
  })
  demo = requireDemo(await seedDemo(base, adminPassword, 'a demo password'))
}, HOOK_MILLISECONDS)
afterAll(() => void vi.unstubAllGlobals())

/** A token of an application credential of the demo user that has these roles alone. */
async function passedOn(...roles: readonly string[]): Promise<string> {
  const self = await identity('GET', '/auth/tokens', { token: demo.token, headers: { 'X-Subject-Token': demo.token } })
  const credential = { name: unique('credential'), roles: roles.map((name) => ({ name })) }
  const path = `/users/${self.json.token.user.id}/application_credentials`
  const made = await identity('POST', path, { token: demo.token, json: { application_credential: credential } })
  const { id, secret } = made.json.application_credential
  return tokenIn(await byCredential({ id, secret }))
}

describe('the demo user', () => {
  it.each(['secure', 'legacy', 'both'])(
    'the demo user reaches everything in its project under POLICY=%s',
    async (POLICY) => {
      const send = workerWith({ POLICY })
      const { token } = demo
      const made = await send('POST', '/v1/secrets', {
        token,
        json: { payload: 'x', payload_content_type: 'text/plain' },
      })
      expect(made.status).toBe(201)
      const ref: string = made.json.secret_ref
      const paths = [
        ref,
        `${ref}/payload`,
        `${ref}/acl`,
        '/v1/secrets',
        '/v1/orders',
        '/v1/quotas',
        '/v1/audit',
        '/v1/cas',
      ]
      for (const path of paths) expect([path, (await send('GET', path, { token })).status]).toEqual([path, 200])
      expect((await send('DELETE', ref, { token })).status).toBe(204)
    },
  )

  it.each([
    ['secure', 'reader', '/v1/quotas'],
    ['legacy', 'observer', '/v1/secrets'],
  ])('the demo user passes on under POLICY=%s the role %s alone, which changes nothing', async (POLICY, role, path) => {
    const send = workerWith({ POLICY })
    const token = await passedOn(role)
    expect((await send('GET', path, { token })).status).toBe(200)
    for (const collection of ['secrets', 'containers', 'orders'])
      expect((await send('POST', `/v1/${collection}`, { token, json: {} })).status).toBe(403)
  })
})
