/** Refusals of project quotas: the schema's messages, bodies and types. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { HOOK_MILLISECONDS, person, type Person } from '../support/people.ts'
import { expectRefusal, mismatch, wrongType } from '../support/refusals.ts'

let admin: Person
const path = '/v1/project-quotas/a-project'
const typed = { 'Content-Type': 'application/json' }

beforeAll(async () => {
  admin = await person(['key-manager:service-admin'])
}, HOOK_MILLISECONDS)

describe('PUT /v1/project-quotas/{project} with an invalid body', () => {
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, "'project_quotas' is a required property", null],
    [{ foo: 1 }, "'project_quotas' is a required property", null],
    [{ project_quotas: { secrets: 1 }, foo: 1 }, "Additional properties are not allowed ('foo' was unexpected)", null],
    [{ project_quotas: { foo: 1 } }, "Additional properties are not allowed ('foo' was unexpected)", 'project_quotas'],
    [
      { project_quotas: { foo: 1, bar: 2, secrets: 'x' } },
      "Additional properties are not allowed ('bar', 'foo' were unexpected)",
      'project_quotas',
    ],
    [{ project_quotas: [] }, "[] is not of type 'object'", 'project_quotas'],
    [{ project_quotas: null }, "None is not of type 'object'", 'project_quotas'],
    [{ project_quotas: { secrets: '5' } }, "'5' is not of type 'integer'", 'project_quotas'],
    [{ project_quotas: { orders: null } }, "None is not of type 'integer'", 'project_quotas'],
    [{ project_quotas: { containers: true } }, "True is not of type 'integer'", 'project_quotas'],
    [{ project_quotas: { consumers: 1.5 } }, "1.5 is not of type 'integer'", 'project_quotas'],
    [{ project_quotas: { cas: [] } }, "[] is not of type 'integer'", 'project_quotas'],
    [{ project_quotas: { cas: 'c', secrets: 's' } }, "'s' is not of type 'integer'", 'project_quotas'],
  ])('PUT of project quotas refuses %j in the words of the schema', async (json, reason, property) => {
    const answer = await call('PUT', path, { token: admin.token, json })
    expectRefusal(answer, 400, mismatch('Project Quota', reason, property))
  })

  it('PUT of project quotas refuses an absent body in the words of the schema', async () => {
    const answer = await call('PUT', path, { token: admin.token, headers: typed })
    expectRefusal(answer, 400, 'Project Quotas issue seen - No data supplied to process..')
  })

  it.each(['{', '{} x', '\ufeff{}'])('PUT of project quotas refuses the malformed body %j', async (body) => {
    const answer = await call('PUT', path, { token: admin.token, body, headers: typed })
    expectRefusal(answer, 400, 'Malformed JSON')
  })

  it('PUT of project quotas needs application/json', async () => {
    const answer = await call('PUT', path, {
      token: admin.token,
      body: '{}',
      headers: { 'Content-Type': 'text/plain' },
    })
    expectRefusal(answer, 415, wrongType("['application/json']"))
  })

  it('a refused PUT of project quotas changes nothing', async () => {
    const at = `/v1/project-quotas/${crypto.randomUUID()}`
    const json = { project_quotas: { secrets: 1, orders: 'x' } }
    expect((await call('PUT', at, { token: admin.token, json })).status).toBe(400)
    expectRefusal(await call('GET', at, { token: admin.token }), 404, 'Project quotas not found.')
  })
})
