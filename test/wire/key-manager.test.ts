/** `KeyManager`: look-ups of other Workers through a service binding. */
import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Answered, KeyManagerBinding } from '../../src/client/contract.ts'
import type { Environment } from '../../src/config.ts'
import { findBreak } from '../../src/crypto/event-chain.ts'
import { DAY, formatTime } from '../../src/times.ts'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { call, database } from '../support/client.ts'
import { countingDatabase } from '../support/counting.ts'
import { owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'

const bindings = env as unknown as Environment
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
let credential: string
let keys: KeyManagerBinding

async function store(json: object, by: Person = who): Promise<string> {
  const answer = await call('POST', '/v1/secrets', { token: by.token, json })
  expect(answer.status).toBe(201)
  return answer.json.secret_ref
}
const text = (payload: string, members: object = {}) => ({ payload, payload_content_type: 'text/plain', ...members })

function valueOf<Value>(answer: Answered<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.status} ${answer.failure}: ${answer.description}`)
  return answer.value
}
const failureOf = (answer: Answered<unknown>) => (answer.ok ? 'none' : `${answer.status} ${answer.failure}`)

const eventsOf = async (id: string) => {
  const { results } = await database
    .prepare('select * from audit_events where target_id = ? order by seq')
    .bind(id)
    .all<Readonly<Record<string, string | null>>>()
  return results
}

beforeAll(async () => {
  who = await owner()
  credential = (await edgeCredential(who)).id
  keys = bindingWith({ credential })
})

describe('KeyManager', () => {
  it('a binding is ready when its credential is valid, and says the project and the bound of answers', async () => {
    expect(await keys.ready()).toEqual({ ok: true, value: { project: who.projectId, bound: 10, version: 1 } })
  })

  it('a payload is read by id and by href, with its type and the time that it is of', async () => {
    const ref = await store(text('a payload'))
    const before = Date.now() - 10_000
    for (const given of [ref, idOf(ref)]) {
      const { bytes, type, id, asOf } = valueOf(await keys.payload(given))
      expect([decode(bytes), type, id]).toEqual(['a payload', 'text/plain', idOf(ref)])
      expect(Date.parse(asOf)).toBeGreaterThan(before)
      expect(Date.parse(asOf)).toBeLessThanOrEqual(Date.now())
    }
  })

  it('octets are returned as they were stored', async () => {
    const octets = { payload_content_type: 'application/octet-stream', payload_content_encoding: 'base64' }
    const { bytes, type } = valueOf(await keys.payload(await store({ payload: 'AP+A', ...octets })))
    expect([[...bytes], type]).toEqual([[0, 255, 128], 'application/octet-stream'])
  })

  it('metadata has the times with their zone, and no payload', async () => {
    const members = { name: 'described', algorithm: 'aes', bit_length: 256, mode: 'gcm', secret_type: 'symmetric' }
    const ref = await store(text('x', { ...members, expiration: '2999-01-01T00:00:00' }))
    const metadata = valueOf(await keys.secret(ref))
    expect(metadata).toEqual({
      id: idOf(ref),
      name: 'described',
      secretType: 'symmetric',
      type: 'text/plain',
      algorithm: 'aes',
      bitLength: 256,
      mode: 'gcm',
      expiration: '2999-01-01T00:00:00.000000Z',
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{15}Z$/),
      updated: expect.stringMatching(/Z$/),
      creator: who.userId,
      asOf: expect.stringMatching(/Z$/),
    })
    expect(valueOf(await keys.secret(await store({}))).type).toBeNull()
  })

  it('a name finds its newest secret that has a payload and is live', async () => {
    const name = `rotated ${crypto.randomUUID()}`
    expect(failureOf(await keys.payloadByName(name))).toBe('404 secretNotFound')
    await store(text('first', { name }))
    const second = await store(text('second', { name }))
    await store({ name })
    expect(decode(valueOf(await keys.payloadByName(name)).bytes)).toBe('second')
    const third = await store(text('third', { name, expiration: '2998-01-01T00:00:00' }))
    expect(decode(valueOf(await keys.payloadByName(name)).bytes)).toBe('third')
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2998-06-01') })
    try {
      expect(decode(valueOf(await keys.payloadByName(name)).bytes)).toBe('second')
    } finally {
      vi.useRealTimers()
    }
    for (const one of [second, third]) await call('DELETE', one, { token: who.token })
    expect(decode(valueOf(await keys.payloadByName(name)).bytes)).toBe('first')
  })

  it('a name passes over the secrets that the caller may not read, and finds none of another project', async () => {
    const name = `private ${crypto.randomUUID()}`
    await store(text('open', { name }))
    const other = await person(['creator'], { projectId: who.projectId })
    const hidden = await store(text('hidden', { name }), other)
    await call('PUT', `${hidden}/acl`, { token: other.token, json: { read: { 'project-access': false } } })
    const reader = await person(['creator'], { projectId: who.projectId })
    const { id } = await edgeCredential(reader)
    expect(decode(valueOf(await bindingWith({ credential: id }).payloadByName(name)).bytes)).toBe('open')
    const stranger = await edgeCredential(await owner())
    expect(failureOf(await bindingWith({ credential: stranger.id }).payloadByName(name))).toBe('404 secretNotFound')
  })

  it('several payloads come in the order of their refs, each with its own failure', async () => {
    const refs = [await store(text('one')), await store({}), absent, 'nothing', await store(text('two'))]
    const answers = valueOf(await keys.payloads([...refs, refs[0] as string]))
    expect(answers.map((one) => (one.ok ? decode(one.value.bytes) : failureOf(one)))).toEqual([
      'one',
      '404 noPayload',
      '404 secretNotFound',
      '404 secretId',
      'two',
      'one',
    ])
  })

  it('fifty payloads are read, and fifty-one are refused', async () => {
    const ref = await store(text('x'))
    expect(valueOf(await keys.payloads(Array.from({ length: 50 }, () => ref)))).toHaveLength(50)
    expect(valueOf(await keys.payloads([]))).toEqual([])
    expect(failureOf(await keys.payloads(Array.from({ length: 51 }, () => ref)))).toBe('400 argument')
  })

  it('a failure has the status, the name and the description that HTTP has', async () => {
    expect(await keys.payload(absent)).toEqual({
      ok: false,
      status: 404,
      failure: 'secretNotFound',
      description: 'Secret not found.',
    })
    expect(await keys.payload('nothing')).toMatchObject({ status: 404, failure: 'secretId' })
  })

  it('a look-up takes one round trip, also if the isolate does not know the credential, and no more for ten secrets', async () => {
    const name = `counted ${crypto.randomUUID()}`
    const refs = await Promise.all(Array.from({ length: 11 }, () => store(text('x', { name }))))
    const { binding, trips } = countingDatabase()
    const counted = bindingWith({ credential }, { DB: binding })
    const cost = async (look: () => Promise<Answered<unknown>>) => {
      const before = trips()
      valueOf(await look())
      return trips() - before
    }
    const first = await edgeCredential(who)
    const unknown = bindingWith({ credential: first.id }, { DB: binding })
    expect(await cost(() => unknown.payload(refs[0] as string))).toBe(1)
    const second = await edgeCredential(who)
    const another = bindingWith({ credential: second.id }, { DB: binding })
    expect(await cost(() => another.payloadByName(name))).toBe(1)
    const { token } = await person(['creator'], { projectId: who.projectId })
    expect(await cost(() => counted.payloadByName(name, { token }))).toBe(1)
    await counted.payload(refs[0] as string)
    expect(await cost(() => counted.ready())).toBe(0)
    expect(await cost(() => counted.payload(refs[0] as string))).toBe(1)
    expect(await cost(() => counted.secret(refs[0] as string))).toBe(1)
    expect(await cost(() => counted.payloadByName(name))).toBe(1)
    expect(await cost(() => counted.payloads(refs.slice(0, 10)))).toBe(1)
    expect(await cost(() => counted.payloads(refs))).toBe(2)
  })

  it('who accepts an age is answered from memory: by id, by name and several at once', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const name = `remembered ${crypto.randomUUID()}`
    const refs = [await store(text('x')), await store(text('x', { name }))]
    const { binding, trips } = countingDatabase()
    const counted = bindingWith({ credential }, { DB: binding })
    const options = { maxAge: 10 }
    const looks: (() => Promise<Answered<unknown>>)[] = [
      () => counted.payload(refs[0] as string, options),
      () => counted.secret(refs[1] as string, options),
      () => counted.payloadByName(name, options),
      () => counted.payloads(refs, options),
    ]
    for (const look of looks) valueOf(await look())
    const before = trips()
    for (const look of looks) valueOf(await look())
    expect(decode(valueOf(await counted.payloadByName(name, options)).bytes)).toBe('x')
    expect(trips()).toBe(before)
    valueOf(await counted.payload(refs[0] as string, { maxAge: 0 }))
    valueOf(await counted.payload(refs[0] as string, { fresh: true }))
    // Neither accepts what is remembered of the caller, which is asked in the same trip.
    expect(trips()).toBe(before + 2)
    const newer = await store(text('y', { name }))
    // The live check of a token that the isolate does not know is a trip, and the secret is one that it remembers.
    const { token } = await person(['creator'], { projectId: who.projectId })
    expect(decode(valueOf(await counted.payloadByName(name, { ...options, token })).bytes)).toBe('x')
    expect(trips()).toBe(before + 3)
    expect(decode(valueOf(await counted.payloadByName(name, { fresh: true })).bytes)).toBe('y')
    expect(idOf(newer)).not.toBe(idOf(refs[1] as string))
    vi.useRealTimers()
  })

  it('AUDIT_READS=strict records every payload that is returned, with the claimed application', async () => {
    const strict = bindingWith({ credential, application: 'shop' }, { AUDIT_READS: 'strict' })
    const name = `audited ${crypto.randomUUID()}`
    const ref = await store(text('x', { name }))
    valueOf(await strict.payload(ref))
    valueOf(await strict.payloadByName(name))
    valueOf(await strict.payloads([ref, absent]))
    const reads = (await eventsOf(idOf(ref))).filter(({ action }) => action === 'read')
    expect(reads).toHaveLength(3)
    for (const read of reads) {
      expect(read).toMatchObject({
        initiator_id: who.userId,
        initiator_project_id: who.projectId,
        initiator_application: 'shop',
        operation: 'Secret payload retrieval',
        rule: 'secret:decrypt',
        target_type: 'data/security/secret/payload',
      })
    }
    expect(await eventsOf(absent)).toEqual([])
  })

  it('the audit log shows the claimed application as the agent of the initiator', async () => {
    const auditor = await person(['audit', 'creator'])
    const { id } = await edgeCredential(auditor)
    const ref = await store(text('x'), auditor)
    const strict = bindingWith({ credential: id, application: 'shop' }, { AUDIT_READS: 'strict' })
    valueOf(await strict.payload(ref))
    const object = bindings.PROJECT.getByName(auditor.projectId)
    await object.sealBy(formatTime(Date.now() + DAY))
    await runDurableObjectAlarm(object)
    const { events } = (await call('GET', '/v1/audit?limit=100', { token: auditor.token })).json
    expect(await findBreak(events)).toBeNull()
    const read = events.find(({ action }: { readonly action: string }) => action === 'read')
    expect(read.initiator).toMatchObject({ id: auditor.userId, host: { agent: 'shop' } })
  })

  it('the request log has the method, the user, the claimed application and the outcome', async () => {
    const lines: unknown[] = []
    const spy = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(JSON.parse(String(line))))
    const logging = bindingWith({ credential, application: 'shop' }, { LOG: 'requests' })
    await logging.payload(absent)
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    spy.mockRestore()
    expect(lines[0]).toMatchObject({
      event: 'request',
      entrypoint: 'KeyManager',
      method: 'payload',
      application: 'shop',
      user: who.userId,
      project: who.projectId,
      operation: 'Secret payload retrieval',
      status: 404,
      failure: 'secretNotFound',
    })
  })

  it('the options of a look-up are accepted: the primary meets them all', async () => {
    const ref = await store(text('x'))
    valueOf(await keys.payload(ref, { fresh: true }))
    valueOf(await keys.payload(ref, { maxAge: 0, since: '00000001-00000001-00000001-'.padEnd(59, '0') }))
    valueOf(await keys.payload(ref, { fresh: undefined, later: 1 } as object))
  })

  it('a token authenticates a call in place of the credential', async () => {
    const ref = await store(text('x'))
    expect(decode(valueOf(await bindingWith({}).payload(ref, { token: who.token })).bytes)).toBe('x')
    const stranger = await owner()
    expect(valueOf(await keys.ready({ token: stranger.token })).project).toBe(stranger.projectId)
    expect(failureOf(await keys.payload(ref, { token: stranger.token }))).toBe('403 notPermitted')
  })
})
