/**
 * T16: a change that computes a new MAC is stored only over the row it was computed from. An ACL and a payload that are
 * written at the same moment are both stored, and the row is authentic afterwards.
 */
import { describe, expect, it } from 'vitest'
import { setAcl } from '../../src/state/acls.ts'
import { findContainer } from '../../src/state/containers/containers.ts'
import { storePayload } from '../../src/state/secrets/new-versions.ts'
import { findSecret } from '../../src/state/secrets/secrets.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { call, isolate } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { container, idOf, secret } from '../support/stored.ts'

const PAYLOAD = 'a payload of its own'
const put = {
  check: () => undefined,
  payload: () => ({ bytes: new TextEncoder().encode(PAYLOAD), contentType: 'text/plain', origin: 'payload' as const }),
}
const reader = { projectAccess: false, users: ['reader'] }
const backendNow = () => backendAt(formatTime(Date.now()))

/** The payload and the users of the ACL, as an isolate with empty caches shows them. */
async function shown(who: Person, ref: string) {
  const send = isolate()
  const payload = await send('GET', `${ref}/payload`, { token: who.token })
  const { json } = await send('GET', `${ref}/acl`, { token: who.token })
  return { payload: [payload.status, payload.text], read: json.read }
}

const both = {
  payload: [200, PAYLOAD],
  read: expect.objectContaining({ users: ['reader'], 'project-access': false }),
}

describe('T16: an ACL and a payload of one secret', () => {
  it('T16: an ACL that was made before the payload of its secret was stored is made again over the stored one', async () => {
    const who = await owner()
    const ref = await secret(who)
    const backend = await backendNow()
    const read = await findSecret(backend, idOf(ref))
    await storePayload(backend, read, put)
    await setAcl(backend, 'secret', read, reader, true)
    expect(await shown(who, ref)).toEqual(both)
  })

  it('T16: a payload that was sealed before the ACL of its secret was stored is stored with that ACL', async () => {
    const who = await owner()
    const ref = await secret(who)
    const backend = await backendNow()
    const read = await findSecret(backend, idOf(ref))
    await setAcl(backend, 'secret', read, reader, true)
    await storePayload(backend, read, put)
    expect(await shown(who, ref)).toEqual(both)
  })

  it('T16: an ACL and a payload of one secret that are written at the same moment are both stored', async () => {
    const who = await owner()
    for (let round = 0; round < 10; round += 1) {
      const ref = await secret(who)
      const acl = { read: { 'project-access': false, users: ['reader'] } }
      const [put, set] = await Promise.all([
        isolate()('PUT', ref, { token: who.token, body: PAYLOAD, headers: { 'Content-Type': 'text/plain' } }),
        isolate()('PUT', `${ref}/acl`, { token: who.token, json: acl }),
      ])
      expect([put.status, set.status]).toEqual([204, 200])
      expect(await shown(who, ref)).toEqual(both)
    }
  })
})

describe('T16: two changes of one ACL', () => {
  it('T16: two changes of one ACL at the same moment leave a row that is authentic, and both parts of it', async () => {
    const who = await owner()
    for (const make of [secret, container]) {
      for (let round = 0; round < 5; round += 1) {
        const ref = await make(who)
        const patch = (read: object) => isolate()('PATCH', `${ref}/acl`, { token: who.token, json: { read } })
        const answers = await Promise.all([patch({ users: ['reader'] }), patch({ 'project-access': false })])
        expect(answers.map(({ status }) => status)).toEqual([200, 200])
        const { json } = await isolate()('GET', `${ref}/acl`, { token: who.token })
        expect(json.read).toMatchObject({ users: ['reader'], 'project-access': false })
        expect((await isolate()('GET', ref, { token: who.token })).status).toBe(200)
      }
    }
  })

  it('T16: an ACL of a container that was made from an older row is made again from the present one', async () => {
    const who = await owner()
    const ref = await container(who)
    const backend = await backendNow()
    const read = await findContainer(backend, idOf(ref))
    await setAcl(backend, 'container', read, { projectAccess: false, users: undefined }, false)
    await setAcl(backend, 'container', read, { projectAccess: undefined, users: ['reader'] }, false)
    const { json } = await call('GET', `${ref}/acl`, { token: who.token })
    expect(json.read).toMatchObject({ users: ['reader'], 'project-access': false })
    expect((await isolate()('GET', ref, { token: who.token })).status).toBe(200)
  })
})
