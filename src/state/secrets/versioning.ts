/**
 * What a secret says about its next versions: whether a PUT makes one, how many payloads are kept, and the age at which
 * the service replaces a key that it made. The sweep replaces keys that are due.
 *
 * A raw key that encrypts data elsewhere must not be replaced by itself, so a secret with registered consumers is left
 * alone unless its owner has said otherwise.
 */
import { and, eq, lte, sql, type SQL } from 'drizzle-orm'
import { Fault, fault } from '../../faults.ts'
import { logProblem } from '../../log.ts'
import { later } from '../../times.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { CONFLICT } from '../database/conflicts.ts'
import { overCurrent } from '../repeated-changes.ts'
import { build, change, select, selectValues } from '../database/prepared.ts'
import type { Secret } from '../entities.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { secretConsumers, secrets } from '../schema/resources.ts'
import { byService } from '../scope.ts'
import { canGenerate, generatedPayload, rotationAfter, storePayload } from './new-versions.ts'
import { asSecret, GENERATED, live, protectedRow, protectedSecret, secretColumns, secretIs } from './secret-rows.ts'
import { currentSecret } from './secrets.ts'

/** The most days after which a key is rotated. */
export const MOST_ROTATE_DAYS = 36_500

export const putModes = ['refuse', 'replace'] as const

/** What a request sets; members that are undefined stay as they are. */
export interface GivenVersioning {
  readonly put: (typeof putModes)[number] | undefined
  readonly keep: number | undefined
  /** 0: never. */
  readonly rotateDays: number | undefined
  readonly despiteConsumers: boolean | undefined
}

/** SQL: the secret has no consumers. */
const isUnused = ({ id }: Secret): SQL =>
  sql`not exists (select 1 from ${secretConsumers} where ${eq(secretConsumers.secretId, id)})`

/** The columns that a request changes; throws `notRotated`. */
function changedBy(secret: Secret, given: GivenVersioning) {
  const rotateDays = given.rotateDays === undefined ? secret.rotateDays : given.rotateDays || null
  const isRotated = secret.hasPayload && canGenerate(secret) && secret.versionOrigin === GENERATED
  if (given.rotateDays && !isRotated) throw fault('notRotated')
  // Each request that asks for rotation says for itself whether consumers matter.
  const consumed = given.despiteConsumers ?? (given.rotateDays === undefined ? secret.rotateConsumed : null)
  return {
    put: given.put === undefined ? secret.put : given.put === 'replace' ? given.put : null,
    keep: given.keep ?? secret.keep,
    rotateDays,
    rotateConsumed: (rotateDays !== null && consumed) || null,
    rotationDue: rotationAfter(secret.versionCreated ?? secret.created, rotateDays, secret.versionOrigin),
  }
}

/** Stores these columns if the secret's row has not changed since it was read, and `onlyIf` holds. */
async function save(
  backend: Backend,
  secret: Secret,
  columns: Partial<ReturnType<typeof changedBy>>,
  onlyIf: SQL = sql`true`,
) {
  const { mac } = await withMac(backend, 'secrets', { ...protectedSecret(secret), ...columns })
  const isRow = sql`${secretIs(secret)} and ${secrets.mac} = ${secret.mac} and ${onlyIf}`
  const update = build
    .update(secrets)
    .set({ ...columns, mac })
    .where(isRow)
  const event = changeOf(secret, 'update', 'secret/versioning', mac)
  const { changed, reason } = await commit(backend, event, change(update), {
    reason: selectValues({ unused: sql<number>`${isUnused(secret)}` }),
  })
  return { stored: changed > 0 ? { ...secret, ...columns, mac } : null, consumed: reason[0]?.unused === 0 }
}

/**
 * Sets what is given and returns the secret as it is then. Throws `notRotated` for a secret that the service does not
 * rotate, and `rotationConsumed` when rotation is asked for a secret with consumers, and not despite them.
 */
export function setVersioning(backend: Backend, secret: Secret, given: GivenVersioning): Promise<Secret> {
  return overCurrent(backend, currentSecret(backend, secret), async (current) => {
    const columns = changedBy(current, given)
    const guarded = Boolean(given.rotateDays) && columns.rotateConsumed === null
    const { stored, consumed } = await save(backend, current, columns, guarded ? isUnused(current) : undefined)
    if (!stored && guarded && consumed) throw fault('rotationConsumed')
    return stored ?? CONFLICT
  })
}

/** Keys that one sweep replaces or postpones; the next sweep continues. */
const MOST_ROTATIONS = 10
/** After so many seconds a key that could not be replaced is tried again. */
const RETRY_SECONDS = 86_400

/** The keys whose replacement is due, those that wait longest first. A forged row is logged and left alone. */
async function dueSecrets(backend: Backend): Promise<Secret[]> {
  const isDue = and(lte(secrets.rotationDue, backend.now), live(backend.now))
  const rows = await backend.db.run(
    select({ ...secretColumns(false) }, (columns) =>
      build.select(columns).from(secrets).where(isDue).orderBy(secrets.rotationDue, secrets.seq).limit(MOST_ROTATIONS),
    ),
  )
  const valid = await authentic(backend, 'secrets', rows.map(protectedRow))
  return valid.map((row) => asSecret(row))
}

/** Replaces a key that is due; throws a fault if it cannot be replaced. */
async function rotate(backend: Backend, secret: Secret): Promise<void> {
  await storePayload(backend, secret, {
    check({ rotationDue }) {
      if (rotationDue === null || rotationDue > backend.now) throw fault('changedConcurrently')
    },
    payload: generatedPayload,
    onlyIf: {
      condition: sql`(${secrets.rotateConsumed} or ${isUnused(secret)})`,
      unmet: () => fault('rotationConsumed'),
    },
  })
}

/**
 * Replaces the keys that have reached the age at which their owners want a new one, a bounded number of them, and returns
 * how many. A key that cannot be replaced, because it has consumers or too many versions, is logged and postponed.
 */
export async function rotateDueSecrets(connected: Backend): Promise<number> {
  const backend = { ...connected, source: byService('Secret rotation') }
  let rotated = 0
  for (const secret of await dueSecrets(backend)) {
    try {
      await rotate(backend, secret)
      rotated += 1
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      logProblem({ event: 'secret not rotated', project: secret.projectId, secret: secret.id, reason: error.failure })
      // After a concurrent change nothing is stored here, and the next sweep sees what is due then.
      await save(backend, secret, { rotationDue: later(backend.now, RETRY_SECONDS) })
    }
  }
  return rotated
}
