/**
 * T36: a change that was allowed when it was asked, and meets one that shuts the caller out before it is stored. It is made
 * again from the row as it is by then, so the rule is asked again, and it is refused.
 */
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { call, database, isolate, type Request } from '../support/client.ts'
import { person, type Person } from '../support/people.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'
import { acl, container, secret } from '../support/stored.ts'

const bindings = env as unknown as Environment

const text = { payload: 'of the owner', payload_content_type: 'text/plain' }
const key = { ...text, secret_type: 'symmetric', algorithm: 'aes', bit_length: 256 }

let creator: Person
let colleague: Person
beforeEach(async () => {
  creator = await person(['creator'])
  colleague = await person(['creator'], { projectId: creator.projectId })
})

/** An isolate whose first batch that changes the table is preceded by `before`. */
function racing(table: string, before: () => Promise<void>) {
  let isDue = true
  const changes = new WeakSet<D1PreparedStatement>()
  const writes = new RegExp(`^\\s*(?:update|insert into) "?${table}"?\\s`, 'i')
  const withSession = (constraint: string) => {
    const session = database.withSession(constraint)
    const prepare = (query: string) => {
      const prepared = session.prepare(query)
      const bind = prepared.bind.bind(prepared)
      return Object.assign(prepared, {
        bind(...values: unknown[]) {
          const bound = bind(...values)
          if (writes.test(query)) changes.add(bound)
          return bound
        },
      })
    }
    return {
      prepare,
      getBookmark: () => session.getBookmark(),
      async batch(statements: D1PreparedStatement[]) {
        if (isDue && statements.some((statement) => changes.has(statement))) {
          isDue = false
          await before()
        }
        return session.batch(statements)
      },
    }
  }
  return { send: isolate({ DB: { withSession } }), wasMet: () => !isDue }
}

/** An isolate whose first change of a consumer is preceded by `before`, after the rule was checked. */
function racingObject(before: () => Promise<void>) {
  let isDue = true
  type Changes = Record<string | symbol, (...given: unknown[]) => Promise<unknown>>
  const getByName = (name: string) => {
    const object = bindings.PROJECT.getByName(name) as unknown as Changes
    return new Proxy(object, {
      get:
        (_, method) =>
        async (...given: unknown[]) => {
          if (isDue && String(method).endsWith('Consumer')) {
            isDue = false
            await before()
          }
          return object[method]!(...given)
        },
    })
  }
  const idFromName = (name: string) => bindings.PROJECT.idFromName(name)
  return { send: isolate({ PROJECT: { getByName, idFromName } }), wasMet: () => !isDue }
}

const open = { read: { 'project-access': true } }
type Change = readonly [method: string, path: string, table: string, made: object, request: Omit<Request, 'token'>]
const changes: readonly Change[] = [
  ['PUT', '/acl', 'secrets', text, { json: open }],
  ['PATCH', '/acl', 'secrets', text, { json: open }],
  ['DELETE', '/acl', 'secrets', text, {}],
  ['PUT', '', 'secrets', {}, { body: 'of a colleague', headers: { 'Content-Type': 'text/plain' } }],
  ['POST', '/versions', 'secrets', text, { json: { ...text, payload: 'of a colleague' } }],
  ['PUT', '/versioning', 'secrets', text, { json: { keep: 1 } }],
  ['PATCH', '/key', 'secrets', key, { json: { extractable: false } }],
  ['PUT', '/acl/use', 'secrets', key, { json: { grants: [] } }],
]

describe('T36: a colleague who is shut out while a change is on its way', () => {
  it.each(changes)(
    'T36: %s of a secret’s %s is refused, and changes nothing',
    async (method, path, table, made, request) => {
      const ref = await secret(creator, made)
      await acl(creator, ref, { users: [creator.userId] })
      const { send, wasMet } = racing(table, () =>
        acl(creator, ref, { 'project-access': false, users: [creator.userId] }),
      )
      const answer = await send(method, ref + path, { token: colleague.token, ...request })
      expect([answer.status, wasMet()]).toEqual([403, true])
      const shown = (await call('GET', `${ref}/acl`, { token: creator.token })).json.read
      expect([shown['project-access'], shown.users]).toEqual([false, [creator.userId]])
      const payload = await call('GET', `${ref}/payload`, { token: creator.token, headers: { Accept: 'text/plain' } })
      expect(payload.text).not.toContain('of a colleague')
    },
  )

  it('T36: PUT of the ACL of a container is refused, and changes nothing', async () => {
    const ref = await container(creator)
    await acl(creator, ref, { users: [creator.userId] })
    const { send, wasMet } = racing('containers', () => acl(creator, ref, { 'project-access': false, users: [] }))
    const answer = await send('PUT', `${ref}/acl`, { token: colleague.token, json: open })
    expect(wasMet()).toBe(true)
    expectRefusal(answer, 403, notPermitted('ContainerACL(s) Update'))
    expect((await call('GET', `${ref}/acl`, { token: creator.token })).json.read['project-access']).toBe(false)
  })

  it.each([
    ['POST', 'secret'],
    ['DELETE', 'secret'],
    ['POST', 'container'],
    ['DELETE', 'container'],
  ] as const)('T36: %s of a consumer of a %s is refused, and changes nothing', async (method, kind) => {
    const ref = await (kind === 'secret' ? secret(creator, text) : container(creator))
    const registered =
      kind === 'secret' ? { service: 's', resource_type: 't', resource_id: 'r' } : { name: 'n', URL: 'u' }
    const consumers = async () => (await call('GET', `${ref}/consumers`, { token: creator.token })).json.consumers
    if (method === 'DELETE') await call('POST', `${ref}/consumers`, { token: creator.token, json: registered })
    const before = await consumers()
    const { send, wasMet } = racingObject(() => acl(creator, ref, { 'project-access': false, users: [] }))
    const answer = await send(method, `${ref}/consumers`, { token: colleague.token, json: registered })
    expect([answer.status, wasMet()]).toEqual([403, true])
    expect(await consumers()).toEqual(before)
  })
})
