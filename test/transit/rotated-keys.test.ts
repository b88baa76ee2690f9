/** Keys in use that have versions: what an older version has encrypted opens until that version is disabled. */
import { beforeAll, expect, it } from 'vitest'
import { callAs, owner, type Person } from '../support/people.ts'
import { expectRefusal } from '../support/refusals.ts'

let who: Person
const send = callAs(() => who)
beforeAll(async () => {
  who = await owner()
})

async function orderedKey(): Promise<string> {
  const order = await send('POST', '/v1/orders', {
    json: { type: 'key', extractable: false, meta: { algorithm: 'aes', bit_length: 256 } },
  })
  return (await send('GET', order.json.order_ref)).json.secret_ref
}

it('a key that is rotated decrypts what its older versions encrypted, and rewraps it under the current one', async () => {
  const ref = await orderedKey()
  const plaintext = btoa('what was encrypted first')
  const use = (operation: string, json: object) => send('POST', `${ref}/${operation}`, { json })
  const first = (await use('encrypt', { plaintext })).json
  for (let round = 0; round < 2; round += 1)
    expect((await send('POST', `${ref}/versions`, { json: { generate: true } })).status).toBe(201)
  expect([first.key_version, (await use('encrypt', { plaintext })).json.key_version]).toEqual([1, 3])
  const { key } = (await send('GET', `${ref}/key`)).json
  expect([key.version, key.key_id]).toEqual([3, expect.stringMatching(/@3$/)])
  expect((await use('decrypt', { ciphertext: first.ciphertext })).json.plaintext).toBe(plaintext)
  const rewrapped = (await use('rewrap', { ciphertext: first.ciphertext })).json
  expect(rewrapped.key_version).toBe(3)

  await send('PATCH', `${ref}/versions/1`, { json: { enabled: false } })
  expectRefusal(await use('decrypt', { ciphertext: first.ciphertext }), 409, 'Conflict. Version 1 is disabled.')
  expect((await use('decrypt', { ciphertext: rewrapped.ciphertext })).json.plaintext).toBe(plaintext)
  expect((await send('DELETE', `${ref}/versions/1`)).status).toBe(204)
  expectRefusal(await use('decrypt', { ciphertext: first.ciphertext }), 409, 'Conflict. Version 1 is destroyed.')
  expect((await use('decrypt', { ciphertext: rewrapped.ciphertext })).json.plaintext).toBe(plaintext)
})

it('a key that nobody can read stays so in each of its versions, also in restored ones', async () => {
  const ref = await orderedKey()
  await send('POST', `${ref}/versions`, { json: { generate: true } })
  await send('POST', `${ref}/versions`, { json: { restore: 1 } })
  for (const path of ['', '/versions/1', '/versions/2', '/versions/3', '/versions/current', '/versions/previous']) {
    const answer = await send('GET', `${ref}${path}/payload`)
    expect([path, answer.status]).toEqual([path, 403])
    expect(answer.json.description).toContain('the payload of this secret cannot be extracted')
  }
})
