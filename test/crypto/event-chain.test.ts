/** The hash chain of the audit log. The known answers were computed with Python's hashlib and json. */
import { describe, expect, it } from 'vitest'
import { canonicalJson, chainHash, findBreak, GENESIS, type ChainedEvent } from '../../src/crypto/event-chain.ts'

const first = { number: 1, typeURI: 't', b: { z: ['é', '"', 1], a: 'x\u2028\n' }, a: 'text' }
const second = { number: 2, a: 'next' }
const firstHash = '4a18aebcda83419e8274f8312745e8cf68ed6b6041b2c7cec12bd9f98aace887'
const secondHash = '8566e62a8fd2036e32a1d8d115e16575134834ea9964e2cb16439e6c01b2d1a8'

async function chain(length: number): Promise<ChainedEvent[]> {
  const events: ChainedEvent[] = []
  for (let number = 1; number <= length; number += 1) {
    const previous = events.at(-1)?.hash ?? GENESIS
    const event = { number, action: 'create', target: { id: `id ${number}` } }
    events.push({ ...event, previous, hash: await chainHash(previous, event) })
  }
  return events
}

describe('the hash of an event', () => {
  it('the hash of an event covers its canonical form and the hash of the event before it', async () => {
    expect(canonicalJson(first)).toBe('{"a":"text","b":{"a":"x\u2028\\n","z":["é","\\"",1]},"number":1,"typeURI":"t"}')
    expect(await chainHash(GENESIS, first)).toBe(firstHash)
    expect(await chainHash(firstHash, { hash: 'x', ...second, previous: 'y' })).toBe(secondHash)
  })
})

describe('a chain', () => {
  it('an unchanged chain has no break, also from a later event on', async () => {
    const events = await chain(5)
    expect(await findBreak(events)).toBeNull()
    expect(await findBreak(events.slice(2))).toBeNull()
    expect(await findBreak([])).toBeNull()
  })

  it.each<[string, number, (events: ChainedEvent[]) => ChainedEvent[]]>([
    ['altered', 3, (events) => events.with(2, { ...events[2]!, action: 'delete' })],
    ['given another number', 3, (events) => events.with(2, { ...events[2]!, number: 4 })],
    ['given another hash', 3, (events) => events.with(2, { ...events[2]!, hash: events[3]!.hash })],
    ['given one member more', 3, (events) => events.with(2, { ...events[2]!, note: '' })],
    [
      'given a member that objects have a meaning for',
      3,
      (events) => events.with(2, JSON.parse(JSON.stringify(events[2]).replace('{', '{"__proto__":{},'))),
    ],
    ['removed', 3, (events) => events.toSpliced(2, 1)],
    [
      'removed, and the others numbered anew',
      3,
      (events) => events.toSpliced(2, 1).map((event, at) => ({ ...event, number: at + 1 })),
    ],
    ['reordered', 2, ([one, two, three, ...others]) => [one!, three!, two!, ...others]],
    ['doubled', 3, (events) => events.toSpliced(2, 0, events[1]!)],
    ['another beginning', 1, (events) => events.with(0, { ...events[0]!, previous: events[1]!.hash })],
  ])('a chain with an event %s breaks at that event', async (_, number, damage) => {
    expect(await findBreak(damage(await chain(5)))).toMatchObject({ number })
  })

  it.each<[string, number, string | undefined]>([
    ['that do not begin at the beginning', 1, secondHash],
    ['that leave out a number', 5, undefined],
  ])('events %s are a break, though their hashes are right', async (_, number, beginning) => {
    const events = await chain(beginning === undefined ? 3 : 0)
    const previous = beginning ?? events.at(-1)!.hash
    const event = { number, action: 'forged' }
    const forged = { ...event, previous, hash: await chainHash(previous, event) }
    expect(await findBreak([...events, forged])).toMatchObject({ number: events.length + 1 })
  })

  it('a chain with an altered event and recomputed hashes does not lead to the head', async () => {
    const events = await chain(5)
    const forged = await chain(4)
    const last = { number: 5, action: 'forged' }
    const previous = forged.at(-1)!.hash
    expect(await chainHash(previous, last)).not.toBe(events.at(-1)!.hash)
  })
})
