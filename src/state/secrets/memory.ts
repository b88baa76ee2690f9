/**
 * The memory of an isolate for look-ups: rows of secrets, sealed as they are stored, each with the time as of which it was
 * read. A request is answered from it if it accepts that (`Backend.accepts`); access is checked, and a payload opened, for
 * each request. Only rows that such a request has read are kept. Values only: no request waits for another.
 *
 * A change through this isolate removes what is remembered of the secret, and later reads see that change: they carry its
 * bookmark.
 */
import { waitUntil } from 'cloudflare:workers'
import { cacheOf } from '../../cache.ts'
import { Fault } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { isWithin } from '../../times.ts'
import { isRecent, replaces } from '../age.ts'
import type { Backend } from '../backend.ts'
import { Session } from '../database/session.ts'
import type { Secret } from '../entities.ts'
import type { SealedSecret } from './secrets.ts'

/** Bounds of each memory of an isolate: rows, and their total bytes. */
export const MOST_REMEMBERED = 1_000
const MOST_REMEMBERED_BYTES = 8_000_000
/** Changes that are remembered, so that reads see them: two for each secret that was changed. */
const MOST_CHANGES = 2_000
/** A row that is older than this part of the accepted age is read again behind the response. */
const PART_UNTIL_DUE = 2
/** It is not read again within this part of the accepted age. */
const PART_BETWEEN = 4

interface Remembered {
  readonly row: SealedSecret
  /** The row contains every change that was acknowledged before this time. */
  readonly asOf: string
  /** When this isolate began to read it again ahead of time; null if it did not. */
  readonly refreshed: string | null
}

type Memory = ReturnType<typeof memoryOf>

/** The bytes of a row: its sealed payload, and its other members as JSON. */
const sizeOf = (row: SealedSecret) =>
  JSON.stringify({ ...row, sealed: null, wrapped: null }).length + (row.sealed?.length ?? 0)

const memoryOf = () =>
  cacheOf<Remembered>({
    entries: MOST_REMEMBERED,
    bytes: { most: MOST_REMEMBERED_BYTES, of: ({ row }) => sizeOf(row) },
  })

/** By the id of the secret. */
export const rows = memoryOf()
/** By {@link nameKey}: the newest secret of the name. */
export const named = memoryOf()

/** The key of a name in a project. An id of a project has no line break. */
export const nameKey = (projectId: string, name: string): string => `${projectId}\n${name}`

/** A change by this isolate: the state of the database after it; null if it is not known whether it was stored. */
interface Change {
  readonly bookmark: string | null
}

/** Changes by the id of the secret, and by that of its project. */
const changes = cacheOf<Change>({ entries: MOST_CHANGES })

/** Forgets a secret that was, or may have been, changed: later reads in this isolate see this state or a newer one. */
export function evictSecret(
  { binding, observed }: Session,
  { id, projectId }: { readonly id: string; readonly projectId: string },
): void {
  rows(binding).delete(id)
  const names = named(binding)
  for (const key of names.keys()) if (key.startsWith(nameKey(projectId, ''))) names.delete(key)
  for (const changed of [id, projectId]) changes(binding).set(changed, { bookmark: observed.bookmark })
}

/** Has the session read a secret, or the secrets of a project, in the state that this isolate has written or a newer one. */
export function observeChanges({ db }: Backend, id: string): void {
  const bookmark = changes(db.binding).get(id)?.bookmark
  if (bookmark) db.observe({ bookmark, lagging: false })
}

/** Whether what the session has read contains every change that this isolate has made to a secret or to a project. */
export function hasChanges({ db }: Backend, id: string): boolean {
  const change = changes(db.binding).get(id)
  const seen = db.observed.bookmark
  return change === undefined || (change.bookmark !== null && seen !== null && change.bookmark <= seen)
}

/** What is remembered, and where: `about` is the id whose changes concern it. */
export interface Recollection {
  readonly memory: Memory
  readonly key: string
  readonly about: string
}

const isLive = ({ expiration }: Secret, now: string) => expiration === null || expiration > now

/** Returns a remembered row if the request accepts it as old as it is; otherwise undefined. */
function recalled(backend: Backend, { memory, key }: Recollection) {
  const { db, now, accepts } = backend
  if (accepts.memory === 0 || db.from !== 'first-unconstrained') return undefined
  const found = memory(db.binding).get(key)
  return found && isRecent(accepts.memory, found.asOf, now) && isLive(found.row, now) ? found : undefined
}

/** Reports whether a request is answered from memory. */
export const isRemembered = (backend: Backend, place: Recollection): boolean => recalled(backend, place) !== undefined

/**
 * Begins a read that sees the changes by this isolate. Returns what remembers the row that was read, if the request accepts
 * what is remembered and the row was not changed meanwhile, and unless what is remembered is as of a later time.
 */
export function beginRead(backend: Backend, { memory, key, about }: Recollection): (row: SealedSecret) => SealedSecret {
  const { db, accepts } = backend
  const before = changes(db.binding).get(about)
  observeChanges(backend, about)
  return (row) => {
    const { readAsOf: asOf } = db
    const isUnchanged = changes(db.binding).get(about) === before
    const isNewest = asOf !== undefined && replaces(asOf, memory(db.binding).get(key)?.asOf)
    if (accepts.memory > 0 && isUnchanged && isNewest) memory(db.binding).set(key, { row, asOf, refreshed: null })
    return row
  }
}

async function readAndRemember(
  backend: Backend,
  place: Recollection,
  read: (backend: Backend) => Promise<SealedSecret>,
): Promise<SealedSecret> {
  const remember = beginRead(backend, place)
  return remember(await read(backend))
}

/** Reads a row again from a replica, or else from the primary. If the secret is gone, it is forgotten. */
async function refresh(
  backend: Backend,
  place: Recollection,
  read: (backend: Backend) => Promise<SealedSecret>,
): Promise<void> {
  const { binding, terms } = backend.db
  const reading = (consistency: 'first-unconstrained' | 'first-primary') => {
    const db = new Session(binding, consistency, terms)
    return readAndRemember({ ...backend, db }, place, read)
  }
  try {
    await reading('first-unconstrained').catch(() => reading('first-primary'))
  } catch (error) {
    place.memory(binding).delete(place.key)
    if (!(error instanceof Fault)) logProblem({ event: 'secret not read ahead', ...factsOf(error) })
  }
}

/**
 * Returns a row from memory, or reads it. `suits` says whether a remembered row has what is asked for. A caller that asks
 * steadily never waits: what is half as old as it accepts, the row or what is known of the caller, is read again behind
 * the response.
 */
export async function recall(
  backend: Backend,
  place: Recollection,
  read: (backend: Backend) => Promise<SealedSecret>,
  suits: (row: SealedSecret) => boolean = () => true,
): Promise<SealedSecret> {
  const { db, now, accepts } = backend
  const found = recalled(backend, place)
  if (!found || !suits(found.row)) return readAndRemember(backend, place, read)
  db.observeMemory(found.asOf)
  const isDue = db.isDue || !isRecent(accepts.memory / PART_UNTIL_DUE, found.asOf, now)
  const isBeingRead = found.refreshed !== null && isWithin(accepts.memory / PART_BETWEEN, found.refreshed, now)
  if (isDue && !isBeingRead) {
    place.memory(db.binding).set(place.key, { ...found, refreshed: now })
    waitUntil(refresh(backend, place, read))
  }
  return found.row
}
