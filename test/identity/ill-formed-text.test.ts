/** Text that is Unicode: which JSON holds half of a surrogate pair, and that the identity API refuses it. */
import { describe, expect, it } from 'vitest'
import { isWellFormed, isWellFormedJson } from '../../src/wire/http/well-formed.ts'
import { adminToken, identity, unique } from '../support/identity.ts'

const HALF = '\ud83d'
const DEEP = 200_000
const nested = (depth: number, inner: string) => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`

describe('well-formed JSON', () => {
  it.each([['a'], ['\u{1f511}'], [''], ['\ufffd'], [7], [null], [true], [{}], [[]], [{ '\u{1f511}': ['\u{1f511}'] }]])(
    '%j is well-formed',
    (value) => {
      expect([isWellFormed(value), isWellFormedJson(JSON.stringify(value), value)]).toEqual([true, true])
    },
  )

  it.each([
    [HALF],
    ['\udd11'],
    ['\udd11\ud83d'],
    [`a${HALF}b`],
    [[['a', HALF]]],
    [{ a: { b: [HALF] } }],
    [{ [HALF]: 1 }],
    [{ a: [{ [`x${HALF}`]: null }] }],
  ])('%j is not well-formed', (value) => {
    expect([isWellFormed(value), isWellFormedJson(JSON.stringify(value), value)]).toEqual([false, false])
  })

  it.each(['"\\uD83D"', '"\\ud83d"', '"\\uDd11"', '{"\\udBFF":1}'])('the spelling %s is found', (json) => {
    expect(isWellFormedJson(json, JSON.parse(json))).toBe(false)
  })

  it('an escaped pair, and an escaped backslash before a u, are well-formed', () => {
    for (const json of ['"\\ud83d\\udd11"', String.raw`"\\ud83d"`]) {
      expect([json, isWellFormedJson(json, JSON.parse(json))]).toEqual([json, true])
    }
  })

  it('depth and length overflow no stack', () => {
    let value: unknown = HALF
    for (let depth = 0; depth < DEEP; depth += 1) value = depth % 2 === 0 ? [value] : { a: value }
    expect(isWellFormed(value)).toBe(false)
    expect(isWellFormed(Array.from({ length: DEEP }, () => 'a'))).toBe(true)
  })
})

describe('text of the identity API that is not well-formed', () => {
  const refused = async (method: string, path: string, json: unknown) => {
    const answer = await identity(method, path, { token: await adminToken(), json })
    return [answer.status, answer.json?.error?.message]
  }
  const words = 'The request body has text that is not well-formed Unicode: half of a surrogate pair.'

  it.each<[string, string, (name: string) => unknown]>([
    ['POST', '/projects', (name) => ({ project: { name: name + HALF } })],
    ['POST', '/projects', (name) => ({ project: { name, description: HALF } })],
    ['POST', '/projects', (name) => ({ project: { name, other: HALF } })],
    ['POST', '/projects', (name) => ({ project: { name, [HALF]: 'other' } })],
    ['POST', '/projects', (name) => ({ project: { name }, [HALF]: 1 })],
    ['POST', '/users', (name) => ({ user: { name: name + HALF, password: 'a password' } })],
    ['POST', '/users', (name) => ({ user: { name, password: `a password${HALF}` } })],
    ['POST', '/users', (name) => ({ user: { name, email: HALF } })],
    ['POST', '/roles', (name) => ({ role: { name: name + HALF } })],
    ['POST', '/auth/tokens', () => ({ auth: { identity: { methods: [HALF] } } })],
    [
      'POST',
      '/auth/tokens',
      (name) => ({
        auth: { identity: { methods: ['password'], password: { user: { id: name, password: `x${HALF}` } } } },
      }),
    ],
    ['PATCH', '/users/none', () => ({ user: { name: HALF } })],
    ['PATCH', '/projects/none', () => ({ project: { description: HALF } })],
  ])('%s %s is 400', async (method, path, json) => {
    expect(await refused(method, path, json(unique('name')))).toEqual([400, words])
  })

  it('deep nesting is an answer below 500', async () => {
    const body = `{"project": {"name": "x", "deep": ${nested(5_000, '"\\ud83d"')}}}`
    const headers = { 'Content-Type': 'application/json' }
    expect((await identity('POST', '/projects', { token: await adminToken(), body, headers })).status).toBe(400)
  })
})
