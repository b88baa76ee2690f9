/**
 * How old a replica's state is. D1 promises no bound for the lag of a replica, so the database proves it: while replicas
 * are read, Workers write the time into one row, the heartbeat. D1 commits in one order and shows every replica that order.
 * A heartbeat is dated before it is written, and a change that was acknowledged before that date was committed earlier.
 * Hence a replica that shows the heartbeat of a time shows every change that was acknowledged before that time. The
 * heartbeat is read in the round trip of the look-up, so both are of one state.
 *
 * Nobody writes heartbeats while nobody reads: the reader who finds one older than half the bound writes the next behind
 * its response. The first reader after a pause asks the primary.
 */
import { waitUntil } from 'cloudflare:workers'
import { lte } from 'drizzle-orm'
import { cacheOf } from '../../cache.ts'
import { fault } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { formatTime, isWithin, later } from '../../times.ts'
import { asOfHeartbeat, isRecent } from '../age.ts'
import { build, change, idempotent, preparedSelect } from '../database/prepared.ts'
import type { Answered, Freshness } from '../database/questions.ts'
import { Session } from '../database/session.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { isWritable, type Deployment } from '../read-only.ts'
import { heartbeats } from '../schema/deployment.ts'
import type { KeyedScope } from '../scope.ts'

/** The first reader who finds a heartbeat older than this part of the bound writes the next one. */
const PART_UNTIL_DUE = 2
/** Two heartbeats are at least this part of the bound apart, whoever writes them. */
const PART_BETWEEN = 4
const PLACE = 'this'
/** An isolate logs a heartbeat from the future once in this time: each read would find it. */
const SECONDS_BETWEEN_LOGS = 60
const told = cacheOf<true>({ entries: 1, seconds: SECONDS_BETWEEN_LOGS })

const newest = preparedSelect({ at: heartbeats.at, mac: heartbeats.mac }, (columns) =>
  build.select(columns).from(heartbeats).limit(1),
)({})

/** What this isolate has seen of a database. Values only. */
interface Seen {
  /** Whether the last read without constraint was answered by the primary, so that no heartbeat is needed. */
  isPrimaryNear: boolean
  /** When this isolate last wrote a heartbeat, or began to. */
  written: string | null
}

const seenOf = new WeakMap<D1Database, Seen>()

function seen(binding: D1Database): Seen {
  const found = seenOf.get(binding) ?? { isPrimaryNear: false, written: null }
  seenOf.set(binding, found)
  return found
}

/** A scope whose session asks nothing, and what decides whether heartbeats may be written. */
export interface Reader extends KeyedScope, Deployment {
  readonly db: Session
}

/** The time as of which a state is that shows this row; null without a heartbeat, and for one that does not count. */
async function asOfRow(
  scope: KeyedScope,
  row: { readonly at: string; readonly mac: string } | undefined,
): Promise<string | null> {
  const [found] = row ? await authentic(scope, 'heartbeats', [row]) : []
  if (!found) return null
  const asOf = asOfHeartbeat(found.at, scope.now)
  if (asOf === null && !told(scope.keyring).has(PLACE)) {
    told(scope.keyring).set(PLACE, true)
    logProblem({ event: 'heartbeat from the future', at: found.at, now: scope.now })
  }
  return asOf
}

/** Writes the time into the database, unless another Worker has just done so or the service is read-only. */
export async function writeHeartbeat(reader: Reader, bound: number): Promise<void> {
  if (!(await isWritable(reader))) return
  // The clock is read before the row is written; the other way round a change in between would be missed.
  const at = formatTime(Date.now())
  const row = await withMac(reader, 'heartbeats', { at })
  const isOld = lte(heartbeats.at, later(at, -bound / PART_BETWEEN))
  const upsert = build
    .insert(heartbeats)
    .values({ place: PLACE, ...row })
    .onConflictDoUpdate({ target: heartbeats.place, set: { at: row.at, mac: row.mac }, setWhere: isOld })
  await new Session(reader.db.binding, 'first-primary').run(idempotent(change(upsert)))
}

function writeSoon(reader: Reader, bound: number): void {
  const known = seen(reader.db.binding)
  if (known.written !== null && isWithin(bound / PART_BETWEEN, known.written, reader.now)) return
  known.written = reader.now
  waitUntil(
    writeHeartbeat(reader, bound).catch((error: unknown) =>
      logProblem({ event: 'heartbeat not written', ...factsOf(error) }),
    ),
  )
}

/**
 * Dates what a request reads. A replica's state may be up to `accepted` seconds old; `bound` is the deployment's bound, in
 * seconds, which sets the pace of heartbeats.
 */
export function freshnessOf(reader: Reader, bound: number, accepted: number): Freshness {
  const known = seen(reader.db.binding)
  const { now } = reader
  async function decide(answers: readonly D1Result[], { unconstrained, byReplica }: Answered): Promise<string> {
    known.isPrimaryNear = unconstrained ? !byReplica : known.isPrimaryNear && !byReplica
    if (!byReplica) return now
    const [answer] = answers
    const asOf = answer ? await asOfRow(reader, newest.read(answer)[0]) : null
    if (asOf === null || !isRecent(bound / PART_UNTIL_DUE, asOf, now)) writeSoon(reader, bound)
    if (asOf === null || !isRecent(accepted, asOf, now)) throw fault('unavailable', 'the replica may be too old')
    return asOf
  }
  return {
    ofPrimary: { state: 'open', statements: [], decide: () => now },
    ofReplica: { state: 'open', statements: known.isPrimaryNear ? [] : [newest], decide },
  }
}
