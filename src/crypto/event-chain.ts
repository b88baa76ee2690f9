/**
 * The hash chain of the audit log: each event contains the hash of the previous one. The service extends the chain, and
 * the verifier checks it offline.
 *
 *     hash(n)   = SHA-256(hash(n − 1) as 32 bytes ‖ canonical event n as UTF-8), in hexadecimal digits
 *     hash(0)   = 32 zero bytes
 *     canonical = JSON without white space, members sorted by name (RFC 8785); the exported event with its
 *                 `number`, which counts from 1 in each project, and without `previous` and `hash`
 */
import { Buffer } from 'node:buffer'

/** The `previous` hash of the first event. */
export const GENESIS = '0'.repeat(64)

/** An event with its position in the chain. */
export interface ChainedEvent {
  readonly number: number
  /** The hash of the previous event. */
  readonly previous: string
  readonly hash: string
  readonly [member: string]: unknown
}

/** Serializes canonical JSON (RFC 8785). Supports strings, integers, and arrays and objects of them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const given = value as Readonly<Record<string, unknown>>
  let members = ''
  for (const name of Object.keys(given).toSorted())
    members += `${members && ','}${JSON.stringify(name)}:${canonicalJson(given[name])}`
  return `{${members}}`
}

/**
 * Returns the hash of an event, without its members `previous` and `hash`; `before` is the hash of the previous event.
 */
export async function chainHash(before: string, event: Readonly<Record<string, unknown>>): Promise<string> {
  const { previous: _previous, hash: _hash, ...hashed } = event
  const linked = Buffer.concat([Buffer.from(before, 'hex'), Buffer.from(canonicalJson(hashed))])
  return Buffer.from(await crypto.subtle.digest('SHA-256', linked)).toString('hex')
}

/** The first fault in a chain. */
interface Break {
  /** The number that the event at this position should have. */
  readonly number: number
  readonly reason: string
}

/**
 * Checks that the events are consecutive and that none was altered, removed, added or moved. Returns null if the chain
 * is intact. A chain that does not begin with number 1 is checked from its first event on.
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
