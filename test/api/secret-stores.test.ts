/** Secret stores of a service with only one: every route returns 404. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { itDiffers } from '../support/differences.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'

const single = 'Not Found. Multiple backends support is not enabled in service configuration.'

let who: Person
let nobody: Person
beforeAll(async () => {
  who = await owner()
  nobody = await person(['reader'])
}, HOOK_MILLISECONDS)

describe('the secret stores of a service with one', () => {
  it.each([
    ['GET', '/v1/secret-stores'],
    ['GET', '/v1/secret-stores/global-default'],
    ['GET', '/v1/secret-stores/preferred'],
    ['GET', '/v1/secret-stores/abc'],
    ['POST', '/v1/secret-stores/abc/preferred'],
    ['DELETE', '/v1/secret-stores/abc/preferred'],
  ])('a service with one secret store answers 404 to %s %s', async (method, path) => {
    expectRefusal(await call(method, path, { token: who.token }), 404, single)
  })

  it.each([
    ['/v1/secret-stores', 'List available secret stores'],
    ['/v1/secret-stores/global-default', 'Retrieve global default secret store'],
    ['/v1/secret-stores/preferred', 'Retrieve project preferred store'],
  ])('a service with one secret store answers 403 to a caller without a role: GET %s', async (path, operation) => {
    expectRefusal(await call('GET', path, { token: nobody.token }), 403, notPermitted(operation))
  })

  it('a service with one secret store answers 404 for an unknown store before it checks the rule', async () => {
    expectRefusal(await call('GET', '/v1/secret-stores/abc', { token: nobody.token }), 404, single)
    expectRefusal(await call('POST', '/v1/secret-stores/abc/preferred', { token: nobody.token }), 404, single)
  })

  it('a service with one secret store answers 405 to a wrong method on the collection', async () => {
    const answer = await call('POST', '/v1/secret-stores', { token: who.token })
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('GET')
  })

  itDiffers('tenant paths')('a service with one secret store answers 404 under a tenant path too', async () => {
    expectRefusal(await call('GET', `/v1/${who.projectId}/secret-stores`, { token: who.token }), 404, single)
  })
})
