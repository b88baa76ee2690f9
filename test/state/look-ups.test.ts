import { exports } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { forgetLiveChecks } from '../../src/access/embedded.ts'
import { silenceAlarms } from '../support/alarms.ts'
import { database } from '../support/client.ts'
import { idOf, owner, person, secret, type Person } from '../support/given.ts'
import { watchedDatabase, type Happening } from '../support/watched-database.ts'

/** The Worker of the deployment, where each request has a context of its own, that can be cut off. */
const worker = (exports as unknown as { default: Fetcher }).default

const text = { payload: 'x', payload_content_type: 'text/plain' }
const MANY = 50
const SLOW_MILLISECONDS = 100

const { watch, calls, forget, happens, until } = watchedDatabase()

/** The first one takes so long that all who ask at the same time have come before it is over. */
const slowly: Happening = async (send, { number }) => {
  await scheduler.wait(number === 1 ? 4 * SLOW_MILLISECONDS : SLOW_MILLISECONDS)
  return send()
}

let who: Person
let ref: string

interface Got {
  readonly status: number
  readonly name?: string
  readonly consumers?: readonly { readonly resource_id: string }[]
}

async function get(path: string, token = who.token, signal?: AbortSignal): Promise<Got> {
  const headers = { 'X-Auth-Token': token, 'OpenStack-API-Version': 'key-manager 1.1' }
  const response = await worker.fetch(path, { headers, ...(signal && { signal }) })
  const body = new TextDecoder().decode(await response.arrayBuffer())
  return { ...(body.startsWith('{') && JSON.parse(body)), status: response.status }
}

/** Registers a consumer of the secret behind the back of this isolate, as another one would. */
const register = (id: string) =>
  database
    .prepare(
      `insert into secret_consumers (id, secret_id, project_id, service, resource_type, resource_id, created, updated)
       values (?1, ?2, ?3, 'image', 'image', ?1, '', '')`,
    )
    .bind(id, idOf(ref), who.projectId)
    .run()

beforeAll(async () => {
  who = await owner()
})

beforeEach(async () => {
  await silenceAlarms()
  ref = await secret(who, { ...text, name: 'one' })
  await get(ref)
  watch()
  happens(slowly)
})

const times = <Result>(count: number, one: () => Promise<Result>) => Promise.all(Array.from({ length: count }, one))

describe('look-ups at the same time', () => {
  it.each(['', '/payload'])('of one secret are few, however many ask: GET …%s', async (part) => {
    const answers = await times(MANY, () => get(ref + part))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(calls().length).toBeLessThanOrEqual(3)
  })

  it('of one secret that is not there are few', async () => {
    const answers = await times(MANY, () =>
      get('http://kms.example:9311/v1/secrets/11111111-1111-4111-8111-111111111111'),
    )
    expect(answers.every(({ status }) => status === 404)).toBe(true)
    expect(calls().length).toBeLessThanOrEqual(3)
  })

  it('of one token are few', async () => {
    forgetLiveChecks()
    const answers = await times(MANY, () => get(ref))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    // Three for the token, and no more than that for the secret each time that an answer lets some of them go on.
    expect(calls().length).toBeLessThanOrEqual(9)
  })

  it('leave to each caller what the caller may see', async () => {
    const stranger = await person(['creator'])
    await Promise.all([get(ref), get(ref, stranger.token)])
    forget()
    const answers = await Promise.all([times(10, () => get(ref)), times(10, () => get(ref, stranger.token))])
    expect(answers[0].every(({ status }) => status === 200)).toBe(true)
    expect(answers[1].every(({ status }) => status === 403)).toBe(true)
    expect(calls().length).toBeLessThanOrEqual(3)
  })

  it('of different secrets are each their own', async () => {
    const another = await secret(who, { ...text, name: 'another' })
    const answers = await Promise.all([get(ref), get(another), get(ref), get(another)])
    expect(answers.map(({ name }) => name)).toEqual(['one', 'another', 'one', 'another'])
  })
})

describe('a look-up that began before somebody asked', () => {
  it('is not the answer', async () => {
    let changed = false
    happens(async (send, { number }) => {
      const found = await send()
      if (number === 1) await vi.waitFor(() => expect(changed).toBe(true), { interval: 5, timeout: 10_000 })
      return found
    })
    const first = get(ref)
    await until(1)
    await scheduler.wait(50)
    await register('meanwhile')
    const later = times(10, () => get(ref))
    await scheduler.wait(50)
    changed = true
    expect((await first).consumers).toEqual([])
    const registered = [expect.objectContaining({ resource_id: 'meanwhile' })]
    expect((await later).map(({ consumers }) => consumers)).toEqual(Array.from({ length: 10 }, () => registered))
    // The first one's, that of the first who came later, and one for all the others.
    expect(calls().length).toBe(3)
  })
})

describe('a request that is cut off', () => {
  const cutOff = async (path: string) => {
    const controller = new AbortController()
    const answer = get(path, who.token, controller.signal).catch(() => 'cut off')
    return { answer, cut: () => controller.abort() }
  }

  it('while it looks up for itself keeps nobody waiting', async () => {
    const { answer, cut } = await cutOff(ref)
    await until(1)
    const others = times(MANY, () => get(ref))
    await scheduler.wait(SLOW_MILLISECONDS / 4)
    cut()
    expect(await answer).toBe('cut off')
    const begun = Date.now()
    expect((await others).every(({ status }) => status === 200)).toBe(true)
    expect(Date.now() - begun).toBeLessThan(1_000)
    expect(calls().length).toBeLessThanOrEqual(4)
  })

  it('while it waits to look up for the others keeps nobody waiting', async () => {
    const first = get(ref)
    await until(1)
    const { answer, cut } = await cutOff(ref)
    await scheduler.wait(SLOW_MILLISECONDS / 4)
    const others = times(MANY, () => get(ref))
    await scheduler.wait(SLOW_MILLISECONDS / 4)
    cut()
    expect(await answer).toBe('cut off')
    const begun = Date.now()
    expect((await first).status).toBe(200)
    expect((await others).every(({ status }) => status === 200)).toBe(true)
    expect(Date.now() - begun).toBeLessThan(1_000)
    expect(calls().length).toBeLessThanOrEqual(4)
  })

  it('with a look-up that never ends does not take the others with it', async () => {
    happens((send, { number }) => (number === 1 ? new Promise(() => null) : send()))
    const first = get(ref).catch(() => 'hung')
    await until(1)
    const others = await times(10, () => get(ref))
    expect(others.every(({ status }) => status === 200)).toBe(true)
    const begun = Date.now()
    expect((await get(ref)).status).toBe(200)
    expect(Date.now() - begun).toBeLessThan(1_000)
    void first
  })
})

describe('a look-up that fails', () => {
  const failing = (...numbers: number[]): Happening =>
    async function fail(send, { number }) {
      await scheduler.wait(SLOW_MILLISECONDS)
      if (numbers.includes(number)) throw new Error('D1_ERROR: the database is away')
      return send()
    }

  it('is asked again at the primary by whose it was, and nobody else has it', async () => {
    happens(failing(1))
    const answers = await times(10, () => get(ref))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  it('that others wait for is made up for by each', async () => {
    happens(failing(2))
    const first = get(ref)
    await until(1)
    const others = await times(10, () => get(ref))
    expect((await first).status).toBe(200)
    expect(others.every(({ status }) => status === 200)).toBe(true)
  })
})
