/**
 * The examples of the contract are answers of the service: the requests here give what `src/contract/examples.json` says, but
 * for ids, times and random bytes. `npx vitest run --config test/vitest.config.ts test/contract/examples.test.ts -u` writes
 * it anew; then run `npm run contract`.
 */
import { expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { operationOf } from '../support/contract.ts'
import { owner } from '../support/people.ts'

const PATIENCE = { timeout: 10_000 }
const STABLE_TIME = '2026-01-01T00:00:00.000000'
const TIME = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"/g
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b/g
const RANDOM = /"(ciphertext|plaintext|mac)":"[^"]+"/g
const RANDOM_BASE64 = '…'

/** Replaces what differs from run to run: ids are numbered in their order. */
function stable(text: string): unknown {
  const numbers = new Map<string, string>()
  const numbered = text.replaceAll(ID, (id) => {
    const known = numbers.get(id) ?? `00000000-0000-4000-8000-${String(numbers.size + 1).padStart(12, '0')}`
    numbers.set(id, known)
    return known
  })
  return JSON.parse(numbered.replaceAll(TIME, `"${STABLE_TIME}"`).replaceAll(RANDOM, `"$1":"${RANDOM_BASE64}"`))
}

it('the examples of the contract are what the service answers', async () => {
  const who = await owner()
  const examples: Record<string, Record<string, unknown>> = {}
  async function send(method: string, path: string, json?: unknown) {
    const answer = await call(method, path, { token: who.token, microversion: '1.1', json })
    const url = path.startsWith('http') ? path : `https://kms.example:9311${path}`
    const { operationId } = operationOf(method, url) ?? { operationId: path }
    examples[operationId] = { ...examples[operationId], [answer.status]: stable(answer.text) }
    return answer.json
  }

  const text = { payload: 'open sesame', payload_content_type: 'text/plain' }
  const { secret_ref: secret } = await send('POST', '/v1/secrets', { name: 'password', ...text })
  const consumer = { service: 'compute', resource_type: 'instance', resource_id: crypto.randomUUID() }
  await send('POST', `${secret}/consumers`, consumer)
  await send('GET', `${secret}/consumers`)
  await send('GET', secret)
  await send('GET', `${secret}/metadata/absent`)
  await send('PUT', `${secret}/metadata`, { metadata: { stage: 'test' } })
  await send('GET', `${secret}/metadata`)
  await send('PUT', `${secret}/acl`, { read: { users: [crypto.randomUUID()], 'project-access': true } })
  await send('GET', `${secret}/acl`)
  await send('POST', `${secret}/versions`, { payload: 'open barley', payload_content_type: 'text/plain' })
  await send('GET', `${secret}/versions`)
  await send('GET', '/v1/secrets?limit=5')

  const meta = { name: 'key', algorithm: 'aes', bit_length: 256, mode: 'gcm' }
  const { order_ref: order } = await send('POST', '/v1/orders', { type: 'key', meta, usages: ['encrypt', 'decrypt'] })
  await expect.poll(async () => (await call('GET', order, { token: who.token })).json.status, PATIENCE).toBe('ACTIVE')
  const { secret_ref: key } = await send('GET', order)
  await send('GET', `${key}/key`)
  await send('POST', `${key}/encrypt`, { plaintext: 'b3BlbiBzZXNhbWU=' })

  const members = [{ name: 'password', secret_ref: secret }]
  const { container_ref: container } = await send('POST', '/v1/containers', { type: 'generic', secret_refs: members })
  await send('GET', container)
  await send('GET', '/v1/quotas')
  await send('GET', '/v1/extensions')
  await send('GET', '/v1/secrets/absent')
  await send('POST', '/v1/secrets', { name: 1 })

  const sorted = Object.fromEntries(Object.entries(examples).toSorted(([one], [other]) => (one < other ? -1 : 1)))
  await expect(`${JSON.stringify(sorted, null, 2)}\n`).toMatchFileSnapshot('../../src/contract/examples.json')
})
