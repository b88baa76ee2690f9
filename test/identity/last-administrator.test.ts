/** The last administrator: what would leave the identity without one is refused, also when requests race. */
import { beforeAll, describe, expect, it } from 'vitest'
import { adminPassword, type Answer } from '../support/client.ts'
import { adminToken, asAdmin, byPassword, create, domain, grantPath, identity } from '../support/identity.ts'
import { roleId, tokenIn, unique } from '../support/identity.ts'

const PASSWORD = 'a good password'
let first: string
let project: string
let admin: string
beforeAll(async () => {
  first = (await asAdmin('GET', '/users?name=admin')).json.users[0].id
  project = (await asAdmin('GET', '/projects?name=admin')).json.projects[0].id
  admin = await roleId('admin')
})

const send = async (method: string, path: string, json?: unknown) =>
  identity(method, path, { token: await adminToken(), json })
const refusal = ({ status, json }: Answer) => [status, json?.error?.title, json?.error?.message]
const refused = [409, 'Conflict', expect.stringContaining('it is the last administrator who can log in')]
const isAdministrator = async () =>
  (await byPassword('admin', adminPassword, { project: { name: 'admin', domain } })).status === 201

/** Another administrator. */
async function another(members: object = {}) {
  const name = unique('administrator')
  const { id } = await create('user', { name, password: PASSWORD, ...members })
  await asAdmin('PUT', grantPath(project, id, admin))
  return { id, name }
}

const endings: [string, (user: string) => [method: string, path: string, json?: unknown]][] = [
  ['disabled', (user) => ['PATCH', `/users/${user}`, { user: { enabled: false } }]],
  ['disabled with other changes', (user) => ['PATCH', `/users/${user}`, { user: { enabled: false, email: 'a@b' } }]],
  ['left without a password', (user) => ['PATCH', `/users/${user}`, { user: { password: null } }]],
  ['deleted', (user) => ['DELETE', `/users/${user}`]],
  ['without the role', (user) => ['DELETE', grantPath(project, user, admin)]],
]

describe('the last administrator', () => {
  it.each(endings)('the last administrator cannot be %s', async (_, request) => {
    expect(refusal(await send(...request(first)))).toEqual(refused)
    expect(await isAdministrator()).toBe(true)
  })

  it.each<[string, object]>([
    ['is disabled', { enabled: false }],
    ['has no password', { password: null }],
  ])('an administrator who %s does not count as one that remains', async (_, members) => {
    const other = await another(members)
    for (const [, request] of endings) expect(refusal(await send(...request(first)))).toEqual(refused)
    for (const [, request] of endings.slice(-1)) expect((await send(...request(other.id))).status).toBe(204)
    await asAdmin('DELETE', `/users/${other.id}`)
  })

  it('an admin of another project, and a member of the administrative one, do not count as ones that remain', async () => {
    const { id } = await create('user', { name: unique('user'), password: PASSWORD })
    const other = await create('project', { name: unique('project') })
    await asAdmin('PUT', grantPath(other.id, id, admin))
    await asAdmin('PUT', grantPath(project, id, await roleId('member')))
    for (const [, request] of endings) expect(refusal(await send(...request(first)))).toEqual(refused)
  })

  it('the last administrator may be changed otherwise, and lose other roles', async () => {
    expect((await send('PATCH', `/users/${first}`, { user: { email: 'a@example.com' } })).status).toBe(200)
    const member = grantPath(project, first, await roleId('member'))
    await asAdmin('PUT', member)
    expect((await send('DELETE', member)).status).toBe(204)
    const other = await create('project', { name: unique('project') })
    await asAdmin('PUT', grantPath(other.id, first, admin))
    expect((await send('DELETE', grantPath(other.id, first, admin))).status).toBe(204)
  })

  it('what does not exist is 404 as before', async () => {
    expect((await send('DELETE', '/users/none')).status).toBe(404)
    expect((await send('DELETE', grantPath(project, first, 'none'))).status).toBe(404)
    expect((await send('DELETE', grantPath(project, first, await roleId('creator')))).status).toBe(404)
  })

  it.each(endings)('one of two administrators can be %s', async (_, request) => {
    const { id } = await another()
    expect((await send(...request(id))).status).toBeLessThan(300)
    expect(await isAdministrator()).toBe(true)
  })

  it.each(endings)('of two requests that each leave one of two administrators %s, one succeeds', async (_, request) => {
    const { id, name } = await another()
    const both = [first, id]
    const tokens = [await adminToken(true), tokenIn(await byPassword(name, PASSWORD, { project: { id: project } }))]
    const answers = await Promise.all(
      both.map((user, at) => {
        // Each removes the other: whoever removes itself could not be authenticated any more.
        const [method, path, json] = request(user)
        return identity(method, path, { token: tokens[1 - at], json })
      }),
    )
    const [one, other] = answers.map(({ status }) => status)
    // The loser is refused for the sake of the last administrator, or has lost its own rights before it was asked.
    const failed = [one, other].filter((status = 0) => status >= 300)
    expect(failed).toHaveLength(1)
    expect([401, 403, 409]).toContain(failed[0])
    await restore(one !== undefined && one < 300 ? { id, name } : null)
  })

  /** Makes the first administrator one again, with the token of the other; null: it still is. */
  async function restore(other: { readonly id: string; readonly name: string } | null): Promise<void> {
    if (!other) {
      await adminToken(true)
      return
    }
    const token = tokenIn(await byPassword(other.name, PASSWORD, { project: { id: project } }))
    const ask = (method: string, path: string, json?: unknown) => identity(method, path, { token, json })
    const made = await ask('POST', '/users', { user: { name: 'admin', password: adminPassword } })
    if (made.status === 201) first = made.json.user.id
    await ask('PATCH', `/users/${first}`, { user: { enabled: true, password: adminPassword } })
    await ask('PUT', grantPath(project, first, admin))
    await adminToken(true)
    await asAdmin('DELETE', `/users/${other.id}`)
  }
})
