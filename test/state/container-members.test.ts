/** The maximum number of secrets in a container, all of which are read with it. */
import { describe, expect, it } from 'vitest'
import { addToContainer, createContainer, findContainer, MOST_MEMBERS } from '../../src/state/containers/containers.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { call } from '../support/client.ts'
import { owner } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

describe('a container', () => {
  it('a container is full at the greatest number of secrets, and can still be read and emptied', async () => {
    const who = await owner()
    const ref = await secret(who)
    const backend = await backendAt(formatTime(Date.now()))
    const caller = { userId: who.userId, projectId: who.projectId, roles: ['creator'] }
    const id = await createContainer(backend, caller, { name: null, type: 'generic', secrets: [] })
    const container = await findContainer(backend, id)
    for (let at = 1; at < MOST_MEMBERS; at += 1)
      await addToContainer(backend, container, { name: `name ${at}`, secretId: idOf(ref) })
    const path = `/v1/containers/${id}`
    const add = (name: string) => call('POST', `${path}/secrets`, { token: who.token, json: { name, secret_ref: ref } })
    expect((await add('the last')).status).toBe(201)
    expect((await add('the last')).status).toBe(409)
    const refused = await add('one more')
    expect([refused.status, refused.json.description]).toEqual([400, 'A container holds at most 1000 secrets.'])
    const shown = await call('GET', path, { token: who.token })
    expect(shown.json.secret_refs).toHaveLength(MOST_MEMBERS)
    const json = { name: 'the last', secret_ref: ref }
    expect((await call('DELETE', `${path}/secrets`, { token: who.token, json })).status).toBe(204)
    expect((await add('one more')).status).toBe(201)
  }, 60_000)

  it('a container with more than the greatest number of secrets is not created', async () => {
    const who = await owner()
    const backend = await backendAt(formatTime(Date.now()))
    const caller = { userId: who.userId, projectId: who.projectId, roles: ['creator'] }
    const secrets = Array.from({ length: MOST_MEMBERS + 1 }, () => ({ name: null, secretId: crypto.randomUUID() }))
    const made = createContainer(backend, caller, { name: null, type: 'generic', secrets })
    await expect(made).rejects.toMatchObject({ failure: 'containerFull' })
  })
})
