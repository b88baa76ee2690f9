/** Threats in paths and in the negotiation of types: T7 and T9. */
import { beforeAll, describe, expect, it } from 'vitest'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { CANARY, canarySecret, idOf, seen } from '../support/stored.ts'
import { expectRefusal } from '../support/refusals.ts'

const { send, person } = cloudOfKeystone()

let owner: Person
let stranger: Person
let ref: string
let id: string

beforeAll(async () => {
  owner = person(['creator'])
  stranger = person(['admin', 'creator'])
  ref = await canarySecret(send, owner, { name: 'target' })
  id = idOf(ref)
})

describe('T7: paths', () => {
  const spellings = () => {
    const bare = id.replaceAll('-', '')
    return [
      `/v1/secrets/${id}`,
      `/v1/secrets/${id}/`,
      `/v1//secrets//${id}`,
      `/v1%2Fsecrets%2f${id}`,
      `/v1/secrets/./${id}`,
      `/v1/secrets/x/../${id}`,
      `/v1/secrets/x/%2e%2e/${id}`,
      `/v1/secrets/x/%2E./${id}`,
      `/healthcheck/../v1/secrets/${id}`,
      `/v1/containers/../secrets/${id}`,
      `/identity/%2e%2e/v1/secrets/${id}`,
      `/v1/secrets/x%2f..%2f${id}`,
      `/v1/secrets/..%2f..%2fv1%2fsecrets%2f${id}`,
      `/v1/secrets/%252e%252e/${id}`,
      `/v1/secrets%252f${id}`,
      `/v1/secrets/${id};x=1`,
      `/v1/secrets;x/${id}`,
      `/v1/secrets/${id}%00`,
      `/v1/secrets/%00${id}`,
      `/v1/secrets/${id}%20`,
      `/v1/secrets/${id}%0a`,
      `/v1/secrets/${id}.json`,
      `/v1/secrets/${id.toUpperCase()}`,
      `/v1/secrets/${bare}`,
      `/v1/secrets/{${id}}`,
      `/v1/secrets/urn:uuid:${id}`,
      `/v1/secrets/${id}%2Fpayload`,
      `/v1/secrets/${id}/payload`,
      `/v1/secrets/${id}%252Fpayload`,
      `/v1/secrets/${id}/payload/`,
      `/v1/secrets/${id}/./payload`,
      `/v1/secrets/${id}\\payload`,
      `/V1/secrets/${id}`,
      `/v1/SECRETS/${id}`,
      `/v1/secrets/${id}#x`,
      `/v1/secrets/%ff`,
      `/v1/secrets/${'%2f'.repeat(100)}${id}`,
    ]
  }

  it('T7: a path in any spelling shows a stranger nothing, and a caller without a token nothing at all', async () => {
    for (const path of spellings()) {
      for (const accept of ['application/json', 'text/plain', 'application/octet-stream']) {
        const foreign = await send('GET', path, { token: stranger.token, headers: { Accept: accept } })
        expect([path, [403, 404].includes(foreign.status)]).toEqual([path, true])
        expect(foreign.text).not.toContain(CANARY)
        const nobody = await send('GET', path, { headers: { Accept: accept } })
        expect([path, [401, 404].includes(nobody.status)]).toEqual([path, true])
      }
    }
  })

  it('T7: a path in any spelling shows the owner the secret or 404, never something else', async () => {
    const plain = seen(await send('GET', ref, { token: owner.token }))
    for (const path of spellings()) {
      const answer = await send('GET', path, { token: owner.token, headers: { Accept: 'application/json' } })
      if (answer.status === 200) expect(seen(answer)).toEqual(plain)
      else expect([path, [404, 406].includes(answer.status)]).toEqual([path, true])
    }
  })

  it('T7: a path of 16 KB or more is refused', async () => {
    for (const path of [
      `/v1/secrets/${'x'.repeat(16_384)}`,
      `/v1/${'x/'.repeat(8_192)}`,
      `/v1/secrets/${id}/${'../'.repeat(5_000)}`,
      `/v1/secrets?name=${'x'.repeat(65_536)}`,
      `/v1/secrets?${'a=b&'.repeat(16_384)}`,
    ]) {
      const answer = await send('GET', path, { token: owner.token })
      expect(answer.status).toBeLessThan(500)
      expect(answer.text).not.toContain(CANARY)
    }
  })

  it('T7: a path under another project is 403, and under no project 404', async () => {
    for (const path of ['secrets', `secrets/${id}`, `secrets/${id}/payload`, 'containers', 'orders', 'quotas']) {
      expectRefusal(
        await send('GET', `/v1/${owner.projectId}/${path}`, { token: stranger.token }),
        403,
        'The project in the path is not the project of the token.',
      )
      for (const tenant of [
        'x',
        owner.projectId.toUpperCase(),
        `${owner.projectId}%20`,
        `${owner.projectId}%00`,
        '%2e%2e',
      ]) {
        const answer = await send('GET', `/v1/${tenant}/${path}`, { token: owner.token })
        expect([403, 404], `${tenant}/${path}`).toContain(answer.status)
      }
    }
  })

  it('T7: a path with a project in front shows no more than one without', async () => {
    const path = `/v1/${stranger.projectId}/secrets/${id}`
    expect((await send('GET', path, { token: stranger.token })).status).toBe(403)
    expect((await send('GET', `/v1/${stranger.projectId}/${path}`, { token: stranger.token })).status).toBe(404)
  })

  it.each(['secrets', 'containers', 'orders', 'quotas', 'v1', 'project-quotas', 'x/y', '..', '%', 'ä ö', '__proto__'])(
    'T7: the paths of a project whose id is %j lead only to its own entities',
    async (projectId) => {
      const tenant = encodeURIComponent(projectId)
      const who = person(['creator', 'admin'], { projectId })
      const mine = await canarySecret(send, who)
      expect((await send('GET', mine, { token: who.token })).status).toBe(200)
      for (const path of ['secrets', `secrets/${id}`, `secrets/${id}/payload`, `secrets/${idOf(mine)}`]) {
        const answer = await send('GET', `/v1/${tenant}/${path}`, { token: who.token })
        expect(answer.status).toBeLessThan(500)
        expect(answer.text).not.toContain(id)
        const foreign = await send('GET', `/v1/${tenant}/${path}`, { token: stranger.token })
        expect(foreign.status).toBeGreaterThanOrEqual(400)
      }
    },
  )
})

describe('T9: negotiation', () => {
  const accepts = [
    undefined,
    '',
    '*/*',
    'application/json',
    'application/*',
    'text/plain',
    'text/*',
    'application/octet-stream',
    'application/pkcs8',
    'text/plain;charset=utf-8',
    'text/plain; charset=utf-8',
    'TEXT/PLAIN',
    'text/plain, */*',
    'application/json, text/plain',
    'text/plain;q=0.9, application/json;q=1',
    'application/json;q=0, text/plain',
    'application/json;q=0',
    'application/jsonx',
    'application/json-home',
    ' application/json',
    'application/json,',
    'application/json;charset=utf-8',
    'foo',
    'foo/bar',
    '*/*;q=0.1',
    ',',
  ]
  const microversions = [undefined, '1.0', '1.1', '1.2', 'latest']

  it.each(accepts)('T9: with Accept %j a caller who may not read the payload does not get it', async (accept) => {
    const auditor = person(['audit'], { projectId: owner.projectId })
    const headers = accept === undefined ? {} : { Accept: accept }
    for (const microversion of microversions) {
      for (const path of [ref, `${ref}/payload`, `${ref}/`, `${ref}?payload`, '/v1/secrets']) {
        const request = { token: auditor.token, headers, ...(microversion && { microversion }) }
        const answer = await send('GET', path, request)
        expect(answer.text).not.toContain(CANARY)
        expect(answer.status).toBeLessThan(500)
        if (path.endsWith('/payload')) expect([403, 406]).toContain(answer.status)
      }
    }
  })

  it.each(accepts)('T9: with Accept %j metadata never holds the payload, and a payload is complete', async (accept) => {
    const headers = accept === undefined ? {} : { Accept: accept }
    const item = await send('GET', ref, { token: owner.token, headers })
    if (item.status === 200 && item.json) expect(item.text).not.toContain(CANARY)
    else if (item.status === 200) expect(item.text).toBe(CANARY)
    else expect([400, 406]).toContain(item.status)
    const payload = await send('GET', `${ref}/payload`, { token: owner.token, headers })
    if (payload.status === 200) expect(payload.text).toBe(CANARY)
    else expect([400, 406]).toContain(payload.status)
  })

  it('T9: an auditor sees metadata exactly where the answer is metadata', async () => {
    const auditor = person(['audit'], { projectId: owner.projectId })
    for (const accept of accepts) {
      const headers = accept === undefined ? {} : { Accept: accept }
      const mine = await send('GET', ref, { token: owner.token, headers })
      const theirs = await send('GET', ref, { token: auditor.token, headers })
      if (mine.status === 200 && mine.json) expect([accept, seen(theirs)]).toEqual([accept, seen(mine)])
      else expect([accept, [403, 406, 400].includes(theirs.status)]).toEqual([accept, true])
    }
  })
})
