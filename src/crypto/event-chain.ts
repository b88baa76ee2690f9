/**
 * The chain of the audit log: how each event holds the one before it fast. The service seals with it, and the verifier
 * checks with it, without the service.
 *
 *     hash(n)   = SHA-256(hash(n − 1) as 32 bytes ‖ canonical event n as UTF-8), in hexadecimal digits
 *     hash(0)   = 32 zero bytes
 *     canonical = JSON without white space, members sorted by name (RFC 8785); the event as it is exported with its
 *                 `number`, which counts from 1 in each project, and without `previous` and `hash`
 */
import { Buffer } from 'node:buffer'

/** What comes before the first event. */
export const GENESIS = '0'.repeat(64)

/** An event in its place in the chain. */
export interface ChainedEvent {
  readonly number: number
  /** The hash of the event before it. */
  readonly previous: string
  readonly hash: string
  readonly [member: string]: unknown
}

/** JSON in the one form that RFC 8785 gives it; for text, integers, lists and objects of them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const given = value as Readonly<Record<string, unknown>>
  let members = ''
  for (const name of Object.keys(given).toSorted())
    members += `${members && ','}${JSON.stringify(name)}:${canonicalJson(given[name])}`
  return `{${members}}`
}

/** The hash of an event, whose members `previous` and `hash` are passed over, after the one with this hash. */
export async function chainHash(before: string, event: Readonly<Record<string, unknown>>): Promise<string> {
  const { previous: _previous, hash: _hash, ...hashed } = event
  const linked = Buffer.concat([Buffer.from(before, 'hex'), Buffer.from(canonicalJson(hashed))])
  return Buffer.from(await crypto.subtle.digest('SHA-256', linked)).toString('hex')
}

/** What is wrong with a chain, in the first place where something is. */
export interface Break {
  /** The number that the event at this place should have. */
  readonly number: number
  readonly reason: string
}

/**
 * Checks that the events follow each other without a gap and that none was altered, removed, added or moved. A chain
 * that does not begin with number 1 is checked from its first event on. Null: it is whole.
 */
export async function findBreak(events: readonly ChainedEvent[]): Promise<Break | null> {
  let before: ChainedEvent | undefined
  for (const event of events) {
    const number = before ? before.number + 1 : event.number
    if (event.number !== number) return { number, reason: `event ${event.number} stands where ${number} belongs` }
    const expected = before?.hash ?? (number === 1 ? GENESIS : event.previous)
    if (event.previous !== expected) return { number, reason: `event ${number} does not follow the one before it` }
    const hash = await chainHash(event.previous, event)
    if (event.hash !== hash) return { number, reason: `event ${number} was altered` }
    before = event
  }
  return null
}
