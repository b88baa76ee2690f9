/** Adding secrets to containers and removing them: `/v1/containers/{id}/secrets`. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call } from '../support/client.ts'
import { itDiffersInContainers } from '../support/container-differences.ts'
import { itDiffers } from '../support/differences.ts'
import { callAs, HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, container, idOf, secret, tenantPath } from '../support/stored.ts'
import { expectRefusal, notPermitted, wrongType } from '../support/refusals.ts'

let who: Person
let a: string
let b: string
const send = callAs(() => who)
const refsOf = async (ref: string) => (await send('GET', ref)).json.secret_refs

beforeAll(async () => {
  who = await owner()
  a = await secret(who)
  b = await secret(who)
}, HOOK_MILLISECONDS)

describe('POST /v1/containers/{id}/secrets', () => {
  it("POST of a container's secret answers 201 with the container’s ref, and does not change its time", async () => {
    const ref = await container(who)
    const { updated } = (await send('GET', ref)).json
    const answer = await send('POST', `${ref}/secrets`, { json: { name: ' b ', secret_ref: a, more: 1 } })
    expect([answer.status, answer.json]).toEqual([201, { container_ref: ref }])
    expect(answer.headers.get('Location')).toBe(ref)
    const { json } = await send('GET', ref)
    expect(json.secret_refs).toEqual([{ name: 'b', secret_ref: a }])
    expect(json.updated).toBe(updated)
  })

  it("POST of a container's secret accepts a secret without a name, under two names, and one name for two secrets", async () => {
    const ref = await container(who)
    for (const pair of [{ secret_ref: a }, { name: 'x', secret_ref: a }, { name: 'x', secret_ref: b }]) {
      expect((await send('POST', `${ref}/secrets`, { json: pair })).status).toBe(201)
    }
    expect(await refsOf(ref)).toHaveLength(3)
  })

  it.each<[string, (id: string) => string]>([
    ['another host', (id) => `https://elsewhere.example/v1/secrets/${id}`],
    ['a relative path', (id) => `x/${id}`],
  ])("POST of a container's secret does not compare the host of %s", async (_title, refOf) => {
    const ref = await container(who)
    const answer = await send('POST', `${ref}/secrets`, { json: { name: 'x', secret_ref: refOf(idOf(a)) } })
    expect(answer.status).toBe(201)
    expect(await refsOf(ref)).toEqual([{ name: 'x', secret_ref: a }])
  })

  it("POST of a container's secret is 404 for a ref with a trailing slash", async () => {
    const answer = await send('POST', `${await container(who)}/secrets`, { json: { secret_ref: `${a}/` } })
    expectRefusal(answer, 404, "Secret provided doesn't exist.")
  })

  it("POST of a container's secret is 404 for a secret of another project", async () => {
    const foreign = await secret(await owner())
    const answer = await send('POST', `${await container(who)}/secrets`, { json: { secret_ref: foreign } })
    expectRefusal(answer, 404, "Secret provided doesn't exist.")
  })

  it("POST of a container's secret is 409 for a pair that is in the container", async () => {
    const ref = await container(who, { secret_refs: [{ name: 'x', secret_ref: a }] })
    const answer = await send('POST', `${ref}/secrets`, { json: { name: 'x', secret_ref: a } })
    expectRefusal(
      answer,
      409,
      'Conflict. A secret with that name and ID is already stored in this container. The same secret can exist in a container as long as the name is unique.',
    )
  })

  it("ten parallel POSTs of a container's secret add the pair once", async () => {
    const ref = await container(who)
    const json = { name: 'x', secret_ref: a }
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('POST', `${ref}/secrets`, { json })))
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0)
    expect(await refsOf(ref)).toEqual([json])
  })

  it.each(['rsa', 'certificate'])(
    "POST of a container's secret is 400 for a container of type %s, before its body is checked",
    async (type) => {
      const ref = await container(who, { type })
      for (const body of ['', '{', '{}', '[]']) {
        const answer = await send('POST', `${ref}/secrets`, { body, headers: { 'Content-Type': 'application/json' } })
        expectRefusal(answer, 400, "Only 'generic' containers can be modified.")
      }
      const typed = await send('POST', `${ref}/secrets`, { body: '{}', headers: { 'Content-Type': 'text/plain' } })
      expectRefusal(typed, 415, wrongType("['application/json']"))
    },
  )

  itDiffersInContainers('added again')("POST of a container's secret accepts a pair that was removed", async () => {
    const ref = await container(who, { secret_refs: [{ name: 'x', secret_ref: a }] })
    const json = { name: 'x', secret_ref: a }
    expect((await send('DELETE', `${ref}/secrets`, { json })).status).toBe(204)
    expect((await send('POST', `${ref}/secrets`, { json })).status).toBe(201)
    expect(await refsOf(ref)).toEqual([json])
  })

  itDiffersInContainers('refs without a slash')(
    "POST of a container's secret is 404 for a ref without a slash that names no secret",
    async () => {
      const answer = await send('POST', `${await container(who)}/secrets`, { json: { secret_ref: 'x' } })
      expectRefusal(answer, 404, "Secret provided doesn't exist.")
    },
  )
})

describe('DELETE /v1/containers/{id}/secrets', () => {
  it("DELETE of a container's secret removes a pair: 204", async () => {
    const refs = [
      { name: 'x', secret_ref: a },
      { name: 'y', secret_ref: b },
    ]
    const ref = await container(who, { secret_refs: refs })
    const answer = await send('DELETE', `${ref}/secrets`, { json: refs[0] })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await refsOf(ref)).toEqual([refs[1]])
  })

  it("DELETE of a container's secret removes a pair without a name", async () => {
    const ref = await container(who, { secret_refs: [{ secret_ref: a }] })
    expect((await send('DELETE', `${ref}/secrets`, { json: { secret_ref: a } })).status).toBe(204)
    expect(await refsOf(ref)).toEqual([])
  })

  it("DELETE of a container's secret may leave an rsa container without its required keys", async () => {
    const refs = [
      { name: 'private_key', secret_ref: a },
      { name: 'public_key', secret_ref: b },
    ]
    const ref = await container(who, { type: 'rsa', secret_refs: refs })
    expect((await send('DELETE', `${ref}/secrets`, { json: refs[1] })).status).toBe(204)
    expect(await refsOf(ref)).toEqual([refs[0]])
  })

  it.each<[string, object, (a: string) => string]>([
    ['a secret that is not there', { name: 'zz' }, () => `${base}/v1/secrets/11111111-1111-4111-8111-111111111111`],
  ])("DELETE of a container's secret is 404 for %s, and the answer names the ref", async (_title, members, refOf) => {
    const secretRef = refOf(a)
    const ref = await container(who)
    const named = await send('DELETE', `${ref}/secrets`, { json: { ...members, secret_ref: secretRef } })
    expectRefusal(named, 404, `Secret 'zz' with reference '${secretRef}' doesn't exist.`)
    const bare = await send('DELETE', `${ref}/secrets`, { json: { secret_ref: secretRef } })
    expectRefusal(bare, 404, `Secret 'None' with reference '${secretRef}' doesn't exist.`)
  })

  it("DELETE of a container's secret is 404 for a pair that the container does not have", async () => {
    const ref = await container(who, { secret_refs: [{ name: 'x', secret_ref: a }] })
    for (const json of [{ name: 'y', secret_ref: a }, { secret_ref: a }, { name: 'x', secret_ref: b }]) {
      expectRefusal(await send('DELETE', `${ref}/secrets`, { json }), 404, 'Secret provided is not in the container')
    }
  })

  it("DELETE of a container's secret is 400 for an empty body", async () => {
    const ref = await container(who)
    const answer = await send('DELETE', `${ref}/secrets`, { headers: { 'Content-Type': 'application/json' } })
    expectRefusal(answer, 400, 'Malformed JSON')
  })

  itDiffersInContainers('no read error')(
    "DELETE of a container's secret is 415 for a body that is not JSON",
    async () => {
      const request = { body: '{}', headers: { 'Content-Type': 'text/plain' } }
      const answer = await send('DELETE', `${await container(who)}/secrets`, request)
      expectRefusal(answer, 415, wrongType("['application/json']"))
    },
  )
})

describe('/v1/containers/{id}/secrets', () => {
  it("GET of a container's secrets is 405 with the methods that the route has", async () => {
    const answer = await send('GET', `${await container(who)}/secrets`)
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('DELETE, POST')
  })

  it("a container's secrets may be changed by creators of the project while the container is not private", async () => {
    const other = await person(['creator'], { projectId: who.projectId })
    const observer = await person(['observer'], { projectId: who.projectId })
    const stranger = await owner()
    const ref = await container(who)
    const json = { name: 'x', secret_ref: a }
    const refusal = notPermitted('Container Secret creation')
    for (const { token } of [observer, stranger]) {
      expectRefusal(await call('POST', `${ref}/secrets`, { token, json }), 403, refusal)
    }
    expect((await call('POST', `${ref}/secrets`, { token: other.token, json })).status).toBe(201)
    await acl(who, ref, { 'project-access': false })
    const again = await call('DELETE', `${ref}/secrets`, { token: other.token, json })
    expectRefusal(again, 403, notPermitted('Container Secret deletion'))
  })

  itDiffers('tenant paths')("a container's secrets are served under a tenant path", async () => {
    const ref = tenantPath(who, await container(who))
    const json = { name: 'x', secret_ref: a }
    const added = await send('POST', `${ref}/secrets`, { json })
    expect([added.status, added.json]).toEqual([201, { container_ref: ref }])
    expect((await send('DELETE', `${ref}/secrets`, { json })).status).toBe(204)
  })
})
