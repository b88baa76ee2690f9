/** `marker`: lists of secrets, containers and orders that start after a given entry. */
import { beforeAll, describe, expect } from 'vitest'
import { base, call } from '../support/client.ts'
import { itDiffers } from '../support/differences.ts'
import { owner, person, type Person } from '../support/people.ts'
import { container, idOf, secret } from '../support/stored.ts'
import { expectRefusal } from '../support/refusals.ts'

const COUNT = 7
const unknown = 'The marker is the id of no entry of this list.'
const badQuery = 'URI provided invalid query string parameters.'

async function order(who: Person, name: string): Promise<string> {
  const json = { type: 'key', meta: { name, algorithm: 'aes', bit_length: 128 } }
  const answer = await call('POST', '/v1/orders', { token: who.token, json })
  return answer.json.order_ref
}

const kinds = [
  {
    kind: 'secrets',
    member: 'secret_ref',
    make: (who: Person, name: string) => secret(who, { name }),
    filter: 'name=even',
  },
  {
    kind: 'containers',
    member: 'container_ref',
    make: (who: Person, name: string) => container(who, { name }),
    filter: 'name=even',
  },
  { kind: 'orders', member: 'order_ref', make: order, filter: 'meta=even' },
] as const

const nameOf = (at: number) => (at % 2 === 0 ? 'even' : 'odd')

describe.each(kinds)('a marker among $kind', ({ kind, member, make, filter }) => {
  let who: Person
  const refs: string[] = []
  const list = (query: string, as = who) => call('GET', `/v1/${kind}?${query}`, { token: as.token })
  const refsIn = (json: Record<string, Record<string, string>[]>) => json[kind]?.map((entry) => entry[member])
  const at = (index: number) => idOf(refs[index] ?? '')

  beforeAll(async () => {
    who = await owner()
    for (let index = 0; index < COUNT; index += 1) refs.push(await make(who, nameOf(index)))
  })

  itDiffers('markers')(
    `a marker among ${kind} returns what follows it, oldest first, with the total of all`,
    async () => {
      for (let index = 0; index < COUNT; index += 1) {
        const { status, json } = await list(`marker=${at(index)}`)
        expect(status).toBe(200)
        expect(json).toEqual({ [kind]: json[kind], total: COUNT })
        expect(refsIn(json)).toEqual(refs.slice(index + 1))
      }
    },
  )

  itDiffers('markers')(
    `a marker among ${kind} leads through all entries, each once, when an empty one begins`,
    async () => {
      for (const limit of [1, 2, 3, COUNT, 100]) {
        const seen: unknown[] = []
        for (let page = `/v1/${kind}?limit=${limit}&marker=`; page;) {
          const { json } = await call('GET', page, { token: who.token })
          seen.push(...(refsIn(json) ?? []))
          expect(json.total).toBe(COUNT)
          expect(json.previous).toBeUndefined()
          page = json.next ?? ''
          if (page) expect(page).toBe(`${base}/v1/${kind}?limit=${limit}&marker=${idOf(String(seen.at(-1)))}`)
        }
        expect(seen).toEqual(refs)
      }
    },
  )

  itDiffers('markers')(
    `a marker among ${kind} is combined with filters, which the link keeps, and need not match them itself`,
    async () => {
      const { json } = await list(`${filter}&limit=2&marker=${at(1)}`)
      expect(refsIn(json)).toEqual([refs[2], refs[4]])
      expect([json.total, json.next]).toEqual([4, `${base}/v1/${kind}?limit=2&marker=${at(4)}&${filter}`])
      const last = await call('GET', json.next, { token: who.token })
      expect([refsIn(last.json), last.json.next]).toEqual([[refs[6]], undefined])
    },
  )

  itDiffers('markers')(`a marker among ${kind} is the entry from which an offset counts`, async () => {
    const { json } = await list(`limit=2&offset=3&marker=${at(0)}`)
    expect(refsIn(json)).toEqual([refs[4], refs[5]])
    expect(refsIn((await call('GET', json.previous, { token: who.token })).json)).toEqual([refs[2], refs[3]])
  })

  itDiffers('markers')(
    `a marker among ${kind} that is no entry of the list is 400, whichever project it belongs to`,
    async () => {
      const other = await owner()
      const foreign = idOf(await make(other, 'foreign'))
      const gone = idOf(await make(who, 'gone'))
      await call('DELETE', `/v1/${kind}/${gone}`, { token: who.token })
      for (const marker of [
        foreign,
        gone,
        crypto.randomUUID(),
        'x',
        '0',
        '%F0%9F%94%91',
        "'%20or%201=1--",
        at(0).toUpperCase(),
      ]) {
        expectRefusal(await list(`marker=${marker}`), 400, unknown)
      }
      expect((await list(`marker=${foreign}`, other)).json.total).toBe(1)
    },
  )

  itDiffers('markers')(`a marker among ${kind} is read after the rule is checked`, async () => {
    const nobody = await person(['member'], { projectId: who.projectId })
    expect((await list('marker=x', nobody)).status).toBe(403)
  })
})

describe('a marker among secrets', () => {
  itDiffers('markers')('a marker among secrets is 400 together with `sort`', async () => {
    const who = await owner()
    const id = idOf(await secret(who))
    for (const marker of [id, '', 'x']) {
      const answer = await call('GET', `/v1/secrets?sort=name&marker=${marker}`, { token: who.token })
      expectRefusal(answer, 400, badQuery)
    }
    expect((await call('GET', `/v1/secrets?sort=&marker=${id}`, { token: who.token })).status).toBe(200)
  })

  itDiffers('markers')('a marker of a list with acl_only is a secret whose ACL names the caller', async () => {
    const [who, reader] = [await owner(), await owner()]
    const shared = [await secret(who), await secret(who)]
    const own = await secret(reader)
    const json = { read: { users: [reader.userId] } }
    for (const ref of shared) await call('PUT', `${ref}/acl`, { token: who.token, json })
    const list = (ref: string) => call('GET', `/v1/secrets?acl_only=true&marker=${idOf(ref)}`, { token: reader.token })
    const answer = await list(shared[0]!)
    expect(answer.json.secrets.map((entry: { secret_ref: string }) => entry.secret_ref)).toEqual([shared[1]])
    expectRefusal(await list(own), 400, unknown)
  })
})

describe('the lists without markers', () => {
  itDiffers('markers')('the lists without markers ignore one', async () => {
    const who = await owner()
    const ref = await secret(who)
    const answer = await call('GET', `${ref}/consumers?marker=x`, { token: who.token })
    expect(answer.json).toEqual({ consumers: [], total: 0 })
  })
})
