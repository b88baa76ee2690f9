/** The admin of the whole cloud, as each of the two identities tells it, and what no other admin reaches. */
import { beforeAll, describe, expect, it } from 'vitest'
import { adminToken } from '../support/identity.ts'
import { keystoneVariables } from '../support/keystone.ts'
import { HOOK_MILLISECONDS, cloudOfKeystone, person as embeddedPerson, type Person } from '../support/people.ts'
import { canarySecret, close } from '../support/stored.ts'
import { workerWith, type Send } from '../support/worker-with.ts'

const { person } = cloudOfKeystone()
const limits = { json: { project_quotas: { secrets: -1 } } }

/** The status of each request with which an admin reaches beyond a project; `secretRef` is another project's, private. */
async function reach(send: Send, { token, projectId }: Person, secretRef: string) {
  const foreign = await send('GET', secretRef, { token })
  const payload = await send('GET', `${secretRef}/payload`, { token })
  const list = await send('GET', '/v1/project-quotas', { token })
  const own = await send('PUT', `/v1/project-quotas/${projectId}`, { token, ...limits })
  const gone = await send('DELETE', secretRef, { token })
  return { foreign: foreign.status, payload: payload.status, list: list.status, own: own.status, gone: gone.status }
}

const everywhere = { foreign: 200, payload: 403, list: 200, own: 204, gone: 204 }
const nowhere = { foreign: 403, payload: 403, list: 403, own: 403, gone: 403 }

describe.each(['secure', 'both'])('the admin of the cloud by the tokens of a Keystone, POLICY=%s', (POLICY) => {
  const send = workerWith({ ...keystoneVariables, POLICY })

  async function reachOf(roles: readonly string[], members: object) {
    const owner = person(['member', 'creator'])
    const ref = await canarySecret(send, owner)
    await close(send, owner, ref)
    return reach(send, person(roles, { members }), ref)
  }

  it.each([{ is_admin_project: true }, { system: { all: true } }, { is_admin_project: true, system: {} }])(
    'an admin whose token says %j is that of the cloud',
    async (members) => {
      expect(await reachOf(['Admin', 'member', 'reader'], members)).toEqual(everywhere)
    },
  )

  it.each([
    {},
    { is_admin_project: false },
    { is_admin_project: 'true' },
    { is_admin_project: 1 },
    { is_admin_project: null },
    { is_admin_project: [true] },
    { system: {} },
    { system: null },
    { system: true },
    { system: 'all' },
    { system: [{ all: true }] },
    { system: { all: false } },
    { system: { all: 'true' } },
    { system: { ALL: true } },
    { is_domain: true, domain: { id: 'default' } },
  ])('an admin whose token says %j is one of a project alone', async (members) => {
    expect(await reachOf(['admin', 'member', 'reader'], members)).toEqual(nowhere)
  })

  it('a member of the administrative project is no admin of the cloud', async () => {
    expect(await reachOf(['member', 'reader'], { is_admin_project: true })).toEqual(nowhere)
  })

  it('the operator of the service sets quotas, and reaches no secret of another project', async () => {
    const reached = await reachOf(['key-manager:service-admin'], {})
    expect(reached).toEqual({ ...nowhere, list: 200, own: 204 })
  })
})

describe('the admin of the cloud by the embedded identity', () => {
  const send = workerWith({ POLICY: 'secure' })
  let owner: Person
  let admin: Person
  const closed = async () => {
    const ref = await canarySecret(send, owner)
    await close(send, owner, ref)
    return ref
  }

  beforeAll(async () => {
    owner = await embeddedPerson(['member'])
    admin = await embeddedPerson(['admin'])
  }, HOOK_MILLISECONDS)

  it('an admin of the administrative project is that of the cloud', async () => {
    const administrator = { token: await adminToken(), userId: '', projectId: owner.projectId }
    expect(await reach(send, administrator, await closed())).toEqual(everywhere)
  })

  it('an admin of another project reaches nothing beyond it, its own quotas among that', async () => {
    expect(await reach(send, admin, await closed())).toEqual(nowhere)
  })

  it('an admin of a project keeps every right within it', async () => {
    const member = await embeddedPerson(['member'], { projectId: admin.projectId })
    const ref = await canarySecret(send, member)
    await close(send, member, ref)
    const { token } = admin
    expect((await send('GET', ref, { token })).status).toBe(200)
    expect((await send('GET', `${ref}/payload`, { token })).status).toBe(200)
    expect((await send('GET', `${ref}/acl`, { token })).status).toBe(200)
    expect((await send('DELETE', ref, { token })).status).toBe(204)
  })
})
