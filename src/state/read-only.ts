/**
 * Read-only operation, for restores and moves: what would change something is refused, the sweep and the objects' alarms
 * rest, and reads go on. The variable READ_ONLY decides it for a deployed Worker; an operator decides it at run time. The
 * latter is kept by the object of the deployment, because a restore of the database must not end it.
 *
 * A request that changes nothing asks nobody. An isolate that is about to change something knows the answer for
 * {@link READ_ONLY_SECONDS} at most; one that is busy asks anew behind its responses.
 */
import { waitUntil } from 'cloudflare:workers'
import { cacheOf } from '../cache.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { fault } from '../faults.ts'
import { factsOf, logProblem } from '../log.ts'
import { DEPLOYMENT, recordEvent } from './audit/events.ts'
import { askObject, type ProjectObjects, type ReadOnly } from './project-calls.ts'
import type { Scope } from './scope.ts'

/** The time, in seconds, after which every isolate has noticed that the service became read-only, or writable again. */
export const READ_ONLY_SECONDS = 10
const MILLISECONDS_KEPT = READ_ONLY_SECONDS * 1_000

/** The part of a backend that decides it. */
export interface Deployment {
  readonly keyring: Keyring
  readonly projects: ProjectObjects
  /** Whether the variable READ_ONLY makes the service read-only. */
  readonly readOnly: boolean
}

interface Known {
  readonly checked: number
  /** Null: the operator has not made the service read-only. */
  readonly state: ReadOnly | null
}

/** By keyring: each deployment in an isolate has its own. */
const known = cacheOf<Known>({ entries: 1 })
const HERE = 'here'

/** The reason while the object of the deployment does not answer. */
const UNKNOWN = 'it cannot be asked whether an operator has made it so'

/** Asks the object of the deployment. Throws the faults of {@link askObject}. */
async function ask({ keyring, projects }: Deployment): Promise<ReadOnly | null> {
  const checked = Date.now()
  const state = await askObject(projects, DEPLOYMENT, (object) => object.readOnly())
  known(keyring).set(HERE, { checked, state })
  return state
}

const logUnknown = (error: unknown): void =>
  logProblem({ event: 'not known whether the service is read-only', ...factsOf(error) })

/**
 * The reason of the operator, at most {@link READ_ONLY_SECONDS} old; null if there is none. What is older and cannot be
 * asked anew counts as read-only: a restore could remove a change that was acknowledged meanwhile.
 */
async function operatorsReason(deployment: Deployment): Promise<string | null> {
  const found = known(deployment.keyring).get(HERE)
  const age = found ? Date.now() - found.checked : MILLISECONDS_KEPT
  if (!found || age < 0 || age >= MILLISECONDS_KEPT) {
    try {
      return (await ask(deployment))?.reason ?? null
    } catch (error) {
      logUnknown(error)
      return found?.state?.reason ?? UNKNOWN
    }
  }
  if (age >= MILLISECONDS_KEPT / 2) waitUntil(ask(deployment).catch(logUnknown))
  return found.state?.reason ?? null
}

/** Why the service is read-only, or counts as such; null if it is not. */
export async function readOnlyReason(deployment: Deployment): Promise<string | null> {
  if (deployment.readOnly) return 'the variable READ_ONLY is on'
  return operatorsReason(deployment)
}

/** Reports whether the service is not read-only. */
export const isWritable = async (deployment: Deployment): Promise<boolean> =>
  (await readOnlyReason(deployment)) === null

/** Throws `readOnly` (503) while the service is read-only. */
export async function requireWritable(deployment: Deployment): Promise<void> {
  const reason = await readOnlyReason(deployment)
  if (reason !== null) throw fault('readOnly', reason)
}

/** What the operator has set, and whether the variable makes the service read-only. */
export async function readOnlyState(
  deployment: Deployment,
): Promise<{ readonly state: ReadOnly | null; readonly variable: boolean }> {
  return { state: await ask(deployment), variable: deployment.readOnly }
}

/** Makes the service read-only for this reason, or writable again with null. It is an event in the deployment's log. */
export async function setReadOnly(scope: Scope & Deployment, reason: string | null): Promise<void> {
  const state = reason === null ? null : { since: scope.now, reason }
  const operation = `${scope.source.operation}: ${state ? 'read-only' : 'writable'}`
  const event = { action: 'update', target: 'deployment', id: DEPLOYMENT, projectId: DEPLOYMENT } as const
  await recordEvent({ ...scope, source: { ...scope.source, operation } }, event)
  await askObject(scope.projects, DEPLOYMENT, (object) => object.setReadOnly(state))
  known(scope.keyring).set(HERE, { checked: Date.now(), state })
}
