/** T8: a malformed body is refused with the documented error, at bounded cost, and never breaks the service. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../support/client.ts'
import { hostileRequest } from '../support/hostile-requests.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { canarySecret, emptyContainer, idOf, keyOrder } from '../support/stored.ts'
import { keystoneVariables } from '../support/keystone.ts'
import { bodyTooLarge, expectRefusal, illFormedText, titles } from '../support/refusals.ts'
import { workerWith } from '../support/worker-with.ts'

const { send, person } = cloudOfKeystone()
const typed = { 'Content-Type': 'application/json' }

let who: Person
let secretId: string
let containerId: string
let orderId: string

beforeAll(async () => {
  who = person(['admin', 'creator', 'key-manager:service-admin'])
  secretId = idOf(await canarySecret(send, who))
  containerId = idOf(await emptyContainer(send, who))
  orderId = idOf(await keyOrder(send, who))
})

/** Describes how a response violates the API's error format; null if it does not. */
function fault(path: string, { status, headers, json, text }: Answer, method: string): string | null {
  if (status >= 500) return `${status} ${text}`
  if (status < 400 || method === 'HEAD') return null
  const title = titles[status]
  if (title === undefined) return `status ${status}`
  const type = headers.get('Content-Type') ?? ''
  const refusedVersion =
    json && typeof json.code === 'string' && json.code === `${status} ${title}` && json.title === title
  if (refusedVersion && typeof json.message === 'string') return null
  const versioned = (status === 400 || status === 406) && text.includes('microversion')
  if (versioned && /^text\/(html|plain)/.test(type)) return null
  if (!path.startsWith('/v1') && /^text\/(html|plain)/.test(type)) return null
  if (type !== 'application/json') return `type ${type}`
  const members = Object.keys(json ?? {})
    .toSorted()
    .join()
  if (members !== (status === 401 ? 'code,description,error,title' : 'code,description,title'))
    return `members ${members}`
  if (json.code !== status || json.title !== title) return `words ${text}`
  if (json.description !== null && typeof json.description !== 'string') return `description ${text}`
  return null
}

const ABSENT = '11111111-1111-4111-8111-111111111111'

/** Fills the path with ids of existing entities, except for deletions, which would remove them for later requests. */
const concrete = (path: string, method: string) =>
  `/v1${path}`
    .replace(/^(\/v1\/\w+)\/:\w+$/, method === 'DELETE' ? `$1/${ABSENT}` : '$&')
    .replace(':secret', secretId)
    .replace(':container', containerId)
    .replace(':order', orderId)
    .replace(':project', 'some-project')
    .replace(':key', 'key')
    .replace(/:\w+/, ABSENT)

const SEED = 20_261_122
const RUNS = 20_000

describe('T8: bodies', () => {
  it(`T8: ${RUNS} malformed requests over all routes get the contract’s answers (seed ${SEED})`, async () => {
    const faults: string[] = []
    const statuses = new Map<number, number>()
    async function run(one: (typeof requests)[number]) {
      const { method, tenant, chunked } = one
      const project = tenant === 'own' ? `/${who.projectId}` : tenant === 'other' ? '/other-project' : ''
      const path = concrete(one.path, method).replace('/v1', `/v1${project}`) + one.query
      const headers: Record<string, string> = { 'Content-Type': one.type }
      if (one.accept !== undefined) headers['Accept'] = one.accept
      if (one.encoding !== undefined) headers['Content-Encoding'] = one.encoding
      if (one.version !== undefined) headers['OpenStack-API-Version'] = one.version
      const stream = () =>
        new ReadableStream<Uint8Array>({
          start(controller) {
            for (const byte of one.body) controller.enqueue(Uint8Array.of(byte))
            controller.close()
          },
        })
      const content =
        method === 'GET' || method === 'HEAD' ? {} : { body: chunked && one.body.length < 30 ? stream() : one.body }
      const answer = await send(method, path, { token: who.token, headers, ...content })
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      const wrong = fault(path, answer, method)
      if (wrong !== null)
        faults.push(`${method} ${path} ${JSON.stringify(headers)} ${new TextDecoder().decode(one.body)}: ${wrong}`)
    }
    const requests = fc.sample(hostileRequest, { seed: SEED, numRuns: RUNS })
    const pending = requests.values()
    const worker = async () => {
      for (const one of pending) await run(one)
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(faults.slice(0, 20)).toEqual([])
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(RUNS)
    // The requests must reach the operations: not all may be refused by the first checks.
    for (const status of [400, 403, 404, 405, 406, 415]) expect(statuses.get(status) ?? 0).toBeGreaterThan(50)
  }, 170_000)

  const large = workerWith({ ...keystoneVariables, MAX_REQUEST_BYTES: '10000000' })
  const routes = () => [
    ['POST', '/v1/secrets'],
    ['POST', '/v1/containers'],
    ['POST', '/v1/orders'],
    ['PUT', `/v1/secrets/${secretId}/acl`],
    ['PUT', `/v1/secrets/${secretId}/metadata`],
    ['POST', `/v1/containers/${containerId}/consumers`],
    ['PUT', '/v1/project-quotas/x'],
  ]
  const deep = 100_000

  it.each<[string, () => string]>([
    ['arrays 10^5 deep', () => '['.repeat(deep) + ']'.repeat(deep)],
    ['objects 10^5 deep', () => '{"a":'.repeat(deep) + '1' + '}'.repeat(deep)],
    ['a member 10^5 deep', () => `{"name":${'['.repeat(deep)}${']'.repeat(deep)}}`],
    ['refs 10^5 deep', () => `{"type":"generic","secret_refs":[${'['.repeat(deep)}${']'.repeat(deep)}]}`],
    ['users 10^5 deep', () => `{"read":{"users":${'['.repeat(deep)}${']'.repeat(deep)}}}`],
    ['10^5 open brackets', () => '['.repeat(deep)],
    ['meta 10^5 deep', () => `{"type":"key","meta":{"name":${'['.repeat(deep)}${']'.repeat(deep)}}}`],
  ])(
    'T8: %s are refused, or ignored where further members are ignored',
    async (_title, make) => {
      const body = make()
      for (const [method = '', path = ''] of routes()) {
        // By default, no more is read.
        expectRefusal(await send(method, path, { token: who.token, body, headers: typed }), 413, bodyTooLarge)
        const answer = await large(method, path, { token: who.token, body, headers: typed })
        expect(fault(path, answer, method)).toBeNull()
      }
    },
    60_000,
  )

  it('T8: 10^6 keys are refused, or ignored where further members are ignored', async () => {
    const keys = Array.from({ length: 1_000_000 }, (_, i) => `"${i.toString(36)}":0`).join()
    const body = `{${keys}}`
    for (const [method = '', path = ''] of routes()) {
      const begun = Date.now()
      const answer = await large(method, path, { token: who.token, body, headers: typed })
      expect(answer.status).toBeLessThan(500)
      expect(answer.text.length).toBeLessThan(30_000_000)
      expect(Date.now() - begun).toBeLessThan(15_000)
    }
  }, 120_000)

  it.each<[string, string, object]>([
    ['the last of two equal keys counts', '{"name":"first","name":"last"}', { name: 'last' }],
    ['__proto__ is a member like any other', '{"__proto__":{"name":"inherited"}}', { name: null }],
    ['constructor is a member like any other', '{"constructor":{"prototype":{"name":"x"}}}', { name: null }],
  ])('T8: in a body %s', async (_title, body, shown) => {
    const made = await send('POST', '/v1/secrets', { token: who.token, body, headers: typed })
    expect(made.status).toBe(201)
    expect((await send('GET', made.json.secret_ref, { token: who.token })).json).toMatchObject(shown)
    expect(({} as { name?: string }).name).toBeUndefined()
  })

  it('T8: an inherited member counts as absent', async () => {
    const body = '{"__proto__":{"type":"generic"}}'
    const answer = await send('POST', '/v1/containers', { token: who.token, body, headers: typed })
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain("'type' is a required property")
  })

  it('T8: a compressed body is never decompressed', async () => {
    const packed = new Response(new Blob(['{"name":"packed"}']).stream().pipeThrough(new CompressionStream('gzip')))
    const body = await packed.arrayBuffer()
    for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
      const headers = { ...typed, 'Content-Encoding': encoding }
      const answer = await send('POST', '/v1/secrets', { token: who.token, body, headers })
      expect(answer.status).toBe(400)
    }
  })

  it('T8: a wrong Content-Length changes nothing', async () => {
    for (const length of ['0', '1', '999999999', '-1', 'x']) {
      const headers = { ...typed, 'Content-Length': length }
      const answer = await send('POST', '/v1/containers', { token: who.token, body: '{"type":"generic"}', headers })
      expect([201, 400]).toContain(answer.status)
    }
  })

  it('T8: an endless body is read only up to the limit', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1_000
        controller.enqueue(new Uint8Array(1_000).fill(0x20))
      },
    })
    const answer = await send('POST', '/v1/containers', { token: who.token, body, headers: typed })
    expectRefusal(answer, 413, bodyTooLarge)
    expect(sent).toBeLessThan(200_000)
  })

  it('T8: a body that breaks off is refused', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"type":'))
        controller.error(new Error('cut'))
      },
    })
    const answer = await send('POST', '/v1/containers', { token: who.token, body, headers: typed }).catch(() => null)
    if (answer) expect(answer.status).toBeLessThan(500)
  })
})

describe('T8: half of a surrogate pair', () => {
  const halves = ['\\ud800', 'a\\udc00b', '<\\ud83d>', '\\uD83D\\uD83D\\uDE00', '\\udc00\\ud800']
  const secretBody = (text: string) => `"payload": "${text}", "payload_content_type": "text/plain"`

  /** Requests with the text in different places of the body, for every route that reads JSON. */
  const places = (text: string): [method: string, path: string, body: string][] => [
    ['POST', '/v1/secrets', `{"name": "${text}"}`],
    ['POST', '/v1/secrets', `{${secretBody(text)}}`],
    ['POST', '/v1/secrets', `{"unknown": "${text}"}`],
    ['POST', '/v1/secrets', `{"${text}": 1}`],
    ['POST', '/v1/secrets', `"${text}"`],
    ['POST', '/v1/secrets', `{"unknown": [[{"a": ["${text}"]}]]}`],
    ['PUT', `/v1/secrets/${secretId}/metadata`, `{"metadata": {"a": "${text}"}}`],
    ['PUT', `/v1/secrets/${secretId}/metadata`, `{"metadata": {"${text}": "a"}}`],
    ['POST', `/v1/secrets/${secretId}/metadata`, `{"key": "k", "value": "${text}"}`],
    ['PUT', `/v1/secrets/${secretId}/metadata/k`, `{"key": "k", "value": "${text}"}`],
    ['PUT', `/v1/secrets/${secretId}/acl`, `{"read": {"users": ["${text}"]}}`],
    ['PATCH', `/v1/secrets/${secretId}/acl`, `{"read": {"users": ["${text}"]}}`],
    ['POST', '/v1/containers', `{"type": "generic", "name": "${text}"}`],
    ['POST', `/v1/containers/${containerId}/secrets`, `{"name": "${text}", "secret_ref": "x"}`],
    ['POST', `/v1/containers/${containerId}/consumers`, `{"name": "${text}", "URL": "http://x"}`],
    ['DELETE', `/v1/containers/${containerId}/consumers`, `{"name": "${text}", "URL": "http://x"}`],
    ['POST', '/v1/orders', `{"type": "key", "meta": {"name": "${text}", "algorithm": "aes", "bit_length": 128}}`],
    ['PUT', `/v1/orders/${orderId}`, `{"type": "certificate", "meta": {"request_data": "${text}"}}`],
    ['PUT', '/v1/project-quotas/x', `{"project_quotas": {"${text}": 1}}`],
    ['POST', '/admin/rotate', `{"project_keys": {"project_id": "${text}"}}`],
    ['PUT', '/admin/projects/x/destruction', `{"confirm": "${text}"}`],
  ]

  it.each(halves)('T8: %s is refused in every body, so that nothing is stored as other text', async (text) => {
    for (const [method, path, body] of places(text)) {
      const answer = await send(method, path, { token: who.token, body, headers: typed })
      expect([method, path, body, answer.status]).toEqual([method, path, body, 400])
      expectRefusal(answer, 400, illFormedText)
    }
  })

  it('T8: half of a pair in the body of a deletion is refused, and deletes nothing', async () => {
    const made = await send('POST', '/v1/secrets', { token: who.token, json: {} })
    const body = '{"force": "\\ud800"}'
    const request = { token: who.token, body, headers: typed, microversion: '1.2' }
    expectRefusal(await send('DELETE', made.json.secret_ref, request), 400, illFormedText)
    expect((await send('GET', made.json.secret_ref, { token: who.token })).status).toBe(200)
  })

  it('T8: whole pairs, escaped or not, and escapes that merely look like halves are text', async () => {
    for (const [escaped, text] of [
      ['\\ud83d\\ude00', '😀'],
      ['😀', '😀'],
      ['\\\\ud83d', '\\ud83d'],
      ['\\ufffd', '\ufffd'],
      ['\\ud7ff\\ue000', '\ud7ff\ue000'],
    ]) {
      const body = `{"name": "${escaped}", ${secretBody(escaped ?? '')}}`
      const { status, json } = await send('POST', '/v1/secrets', { token: who.token, body, headers: typed })
      expect([escaped, status]).toEqual([escaped, 201])
      expect((await send('GET', json.secret_ref, { token: who.token })).json.name).toBe(text)
      const payload = await send('GET', `${json.secret_ref}/payload`, { token: who.token })
      expect(payload.text).toBe(text)
    }
  })

  it('T8: half of a pair in a path or a query is no character either, and no failure of the server', async () => {
    for (const path of ['/v1/secrets?name=%ED%A0%80', `/v1/secrets/${secretId}/metadata/%ED%A0%80`, '/v1/%ED%A0%80']) {
      const { status } = await send('GET', path, { token: who.token })
      expect([path, [400, 404].includes(status)]).toEqual([path, true])
    }
  })

  it('T8: an id with half of a pair from Keystone lets nobody in', async () => {
    for (const ids of [{ userId: 'a\ud800' }, { projectId: 'a\udc00' }]) {
      const { token } = person(['creator'], ids)
      expect((await send('GET', '/v1/secrets', { token })).status).toBe(503)
    }
  })
})
