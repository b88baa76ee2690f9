/**
 * A body that the schema of the contract does not admit is 400, for every operation that takes JSON, and what is refused
 * before bodies is refused for every operation that the table names.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { someAddress } from '../support/identity.ts'
import { HOOK_MILLISECONDS } from '../support/people.ts'
import { beforeBodies, failuresIn } from './before-bodies.ts'
import { actor, isAdmitted, operations, type Actor, type Served } from './operations.ts'

const takingJson = operations.filter(
  ({ requestBody }) => requestBody?.content['application/json']?.schema !== undefined,
)
const documents: readonly unknown[] = [null, [], {}, 1, 'x', true, [{}], { x: [] }, { auth: 1, batch: {} }]

let somebody: Actor
beforeAll(async () => {
  somebody = await actor()
}, HOOK_MILLISECONDS)

const send = ({ method, path }: Served, url: string, json: unknown) =>
  call(method, url, { token: somebody.tokenFor(path), json, headers: { 'CF-Connecting-IP': someAddress() } })

describe('a body that the schema does not admit', () => {
  it.each(takingJson)('$operationId refuses every one of another form with 400', async (operation) => {
    const url = await somebody.filled(operation.path)
    const refused = documents.filter((document) => isAdmitted(operation, document) === false)
    expect(refused.length).toBeGreaterThan(0)
    for (const document of refused) {
      const { status, text } = await send(operation, url, document)
      expect([status, JSON.stringify(document), text]).toEqual([400, JSON.stringify(document), text])
    }
  })
})

const refusedBefore = beforeBodies.flatMap((gate) =>
  takingJson.filter(({ path }) => gate.of.test(path)).map((operation) => ({ ...gate, ...operation, operation })),
)

describe('what is refused before bodies', () => {
  it.each(refusedBefore)(
    '$operationId says $failure first: $reason',
    async ({ operation, failure, named, ofBatches }) => {
      const url = await somebody.filled(operation.path, named)
      const answer = await send(operation, url, ofBatches ? { batch: [null] } : null)
      expect(failuresIn(operation.method, url, answer), answer.text).toContain(failure)
    },
  )
})
