/**
 * More consumers than fit into one value of D1: the secret or container is returned with some of them, and everything
 * else works.
 */
import { describe, expect, it } from 'vitest'
import { MOST_SHOWN_CONSUMERS } from '../../src/state/database/statements.ts'
import { call, database } from '../support/client.ts'
import { owner } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

/** As JSON these take more than 2,000,000 bytes. The local D1 does not enforce that limit. */
const MANY = 4_000
const numbers = `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${MANY})`
const [long, now] = ["printf('%0255d', n)", "'2026-11-22T00:15:50.123000'"]

describe('very many consumers', () => {
  it('a secret with very many consumers is shown with some of them, and everything else works', async () => {
    const who = await owner()
    const { token, projectId } = who
    const ref = await secret(who)
    await database
      .prepare(
        `${numbers} insert into secret_consumers
           (id, secret_id, project_id, service, resource_type, resource_id, created, updated)
         select ? || n, ?, ?, ${long}, ${long}, n, ${now}, ${now} from numbers`,
      )
      .bind(idOf(ref), idOf(ref), projectId)
      .run()
    const send = (method: string, path: string, json?: object) =>
      call(method, path, { token, json, microversion: '1.2' })
    const shown = async () => (await send('GET', ref)).json.consumers.length
    expect(await shown()).toBe(MOST_SHOWN_CONSUMERS)
    expect((await send('GET', '/v1/secrets')).json.secrets[0].consumers).toHaveLength(MOST_SHOWN_CONSUMERS)
    expect((await send('GET', `${ref}/consumers?limit=2`)).json).toMatchObject({ total: MANY, consumers: [{}, {}] })
    const json = { service: 'compute', resource_type: 'instance', resource_id: 'i' }
    expect((await send('POST', `${ref}/consumers`, json)).status).toBe(200)
    expect((await send('DELETE', ref)).status).toBe(400)
    expect((await send('DELETE', `${ref}/consumers`, json)).status).toBe(200)
    expect((await send('GET', `${ref}/consumers?limit=1`)).json.total).toBe(MANY)
    expect((await send('DELETE', `${ref}?force=true`)).status).toBe(204)
  }, 60_000)

  it('a container with very many consumers is shown with some of them, and everything else works', async () => {
    const { token, projectId } = await owner()
    const send = (method: string, path: string, json?: object) => call(method, path, { token, json })
    const { json: made } = await send('POST', '/v1/containers', { type: 'generic' })
    const ref: string = made.container_ref
    await database
      .prepare(
        `${numbers} insert into container_consumers (id, container_id, project_id, name, url, created, updated)
         select ? || n, ?, ?, n, ${long} || ${long}, ${now}, ${now} from numbers`,
      )
      .bind(idOf(ref), idOf(ref), projectId)
      .run()
    expect((await send('GET', ref)).json.consumers).toHaveLength(MOST_SHOWN_CONSUMERS)
    expect((await send('GET', '/v1/containers')).json.containers[0].consumers).toHaveLength(MOST_SHOWN_CONSUMERS)
    const json = { name: 'one', URL: 'http://one.example' }
    expect((await send('POST', `${ref}/consumers`, json)).status).toBe(200)
    expect((await send('GET', `${ref}/consumers?limit=1`)).json.total).toBe(MANY + 1)
    expect((await send('DELETE', `${ref}/consumers`, json)).status).toBe(200)
    expect((await send('DELETE', ref)).status).toBe(204)
  }, 60_000)
})
