/**
 * The calls of the Durable Object of a project: their arguments and results. All of them are plain data, because a call
 * does not preserve classes.
 */
import { Fault, type FailureName } from '../faults.ts'
import { repeated } from '../repetition.ts'
import { mayBeStored, passingOf, unavailability } from './database/refusals.ts'
import { changedAgain, type Sending } from './database/repetition.ts'
import type { Observed, Session } from './database/session.ts'
import type { ContainerRow, Registration, SecretRow } from './entities.ts'
import { newRowId } from './row-ids.ts'
import type { containers, containerSecrets, issuedCertificates, orders, secrets } from './schema/resources.ts'
import type { Scope } from './scope.ts'

/** An order to be saved, with the secret that was generated for it, if any. */
export interface StoredOrder {
  readonly order: typeof orders.$inferInsert
  readonly secret: typeof secrets.$inferInsert | null
}

/** The result of a run: a container with secrets, some of them new. */
export interface OrderResult {
  readonly orderId: string
  readonly projectId: string
  /** The MAC of the order that the run read: an order that was updated meanwhile is run again. */
  readonly mac: string
  readonly subStatus: string
  readonly subStatusMessage: string
  readonly container: typeof containers.$inferInsert
  readonly secrets: readonly (typeof secrets.$inferInsert)[]
  readonly members: readonly (typeof containerSecrets.$inferInsert)[]
  /** The certificate that was issued, if any. */
  readonly issued?: typeof issuedCertificates.$inferInsert
}

/** The error of an order: an HTTP status as text, and a reason of at most 255 characters. */
export interface OrderError {
  readonly code: string
  readonly reason: string
}

/** The error with which a run ended. */
export interface OrderFailure extends OrderError {
  readonly orderId: string
  readonly projectId: string
  /** The MAC of the order that the run read; see {@link OrderResult}. */
  readonly mac: string
}

/** The new columns of a certificate order that is restarted. */
export interface OrderRestart {
  readonly meta: string
  /** Who asks: the run has the rights of this user. */
  readonly requesterId: string
  readonly mac: string
  /** When the next attempt starts unless the order has ended, as UTC text of 26 characters. */
  readonly due: string
  readonly subStatus: string
  readonly subStatusMessage: string
}

/** The last event of an audit chain. */
export interface ChainHead {
  readonly number: number
  readonly hash: string
}

/** A mismatch between the head that the object stores and the last sealed event in the database. */
export interface Incident {
  readonly time: string
  readonly expected: ChainHead
  /** The last sealed event in the database; null if there was none. */
  readonly found: ChainHead | null
  /** When an operator adopted what was found, as UTC text of 26 characters. */
  readonly reconciled?: string
}

/** How a row differs from the ledger: another MAC, missing from the database, or missing from the ledger. */
export type Difference = 'changed' | 'gone' | 'unknown'

/** The number of rows that differ in each way. */
export type RowCounts = Readonly<Record<Difference, number>>

/** The state of the project's audit log and ledger. */
export interface Integrity {
  readonly head: ChainHead
  readonly incidents: readonly Incident[]
  /** Rows that differ from the ledger, as `<kind>/<id> <difference>`, the first of them. */
  readonly rows: readonly string[]
}

/** That the operator has made the service read-only. */
export interface ReadOnly {
  /** UTC text of 26 characters. */
  readonly since: string
  /** What clients are told. */
  readonly reason: string
}

/** How a project's log and rows differ from what its object has stored about them. */
export interface ProjectReport {
  /** Whether all rows were compared. If not, the next call continues. */
  readonly complete: boolean
  /** The incidents that nobody has reconciled yet. */
  readonly incidents: readonly Incident[]
  readonly rows: RowCounts
  /** The first of the rows, as in {@link Integrity}. */
  readonly first: readonly string[]
  /** Identifies the report; null if nothing differs. */
  readonly confirm: string | null
}

/** The part of a request's scope that a mutation needs. */
export interface MutationContext extends Pick<Scope, 'quotas' | 'now' | 'source' | 'change'> {
  /** The id of the deployment that the Worker was admitted to. */
  readonly deployment: string
}

/** The result of a call: a value or a failure, and the state of the database that the object has observed. */
export type Result<Value> = { readonly observed: Observed } & (
  { readonly value: Value } | { readonly failure: FailureName; readonly details: readonly string[] }
)

type Call<Parameters extends readonly unknown[], Value> = (...parameters: Parameters) => PromiseLike<Value>
type Mutation<Parameters extends readonly unknown[], Value> = Call<
  readonly [context: MutationContext, ...Parameters],
  Result<Value>
>

/** The calls of one project's object, which are documented in `object/project-object.ts`. */
export interface ProjectCalls {
  readonly placeOrder: Mutation<[order: StoredOrder], null>
  readonly acceptOrder: Mutation<[order: StoredOrder], null>
  readonly finishOrder: Mutation<[result: OrderResult], boolean>
  readonly failOrder: Mutation<[failure: OrderFailure], null>
  readonly updateOrder: Mutation<[projectId: string, orderId: string, restart: OrderRestart], boolean>
  readonly deleteOrder: Mutation<[projectId: string, orderId: string], null>
  readonly changeSecretConsumer: Mutation<
    [change: 'add' | 'delete', registration: Registration<'secret'>],
    SecretRow | null
  >
  readonly changeContainerConsumer: Mutation<
    [change: 'add' | 'delete', registration: Registration<'container'>],
    ContainerRow | null
  >
  readonly takePass: Call<[orderId: string, pass: string], boolean>
  readonly sealBy: Call<[time: string], void>
  readonly integrity: Call<[], Integrity>
  readonly inspect: Call<[], ProjectReport>
  readonly adopt: Mutation<[confirm: string], boolean>
  readonly migrate: Call<[], readonly string[]>
  /** These two: of the object of the deployment alone. */
  readonly readOnly: Call<[], ReadOnly | null>
  readonly setReadOnly: Call<[state: ReadOnly | null], void>
}

/** The objects of all projects. */
export interface ProjectObjects {
  readonly getByName: (projectId: string) => ProjectCalls
  /** The id of an object, which depends on its name and on the namespace alone. */
  readonly idFromName: (name: string) => { readonly toString: () => string }
}

/** What a call of an object needs. */
type Calling = Pick<Scope, 'quotas' | 'now' | 'source'> & {
  readonly db: Session
  readonly projects: ProjectObjects
  readonly deployment: () => string
}

/** The value of a result; throws its fault. The session takes over what the object has observed. */
export function valueOf<Value>(session: Session | null, result: Result<Value>): Value {
  session?.observe(result.observed)
  if ('failure' in result) throw new Fault(result.failure, result.details)
  return result.value
}

const failUnavailable = (error: unknown): never => {
  throw unavailability(error)
}

/**
 * Calls the object of a project, and again after an error that passes: each time with a new stub, because an error can
 * break one for ever. `call` must have the same effect once or twice. Throws the faults of {@link unavailability}.
 */
export async function askObject<Value>(
  projects: ProjectObjects,
  projectId: string,
  call: (object: ProjectCalls) => PromiseLike<Value>,
): Promise<Value> {
  const ask = () => call(projects.getByName(projectId))
  try {
    return await ask()
  } catch (error) {
    return await repeated(error, (failed) => passingOf(failed) === 'repeat', ask).catch(failUnavailable)
  }
}

/**
 * Sends a change to the object of a project and returns its value, or throws its fault. After an error that passes it is
 * sent again under the same id, by which the object recognises a change that it stored before its answer was lost.
 */
export async function sendToObject<Value>(
  { db, projects, quotas, now, source, deployment }: Calling,
  projectId: string,
  call: (object: ProjectCalls, context: MutationContext) => PromiseLike<Result<Value>>,
): Promise<Value> {
  const id = newRowId()
  const send = (sending: Sending) =>
    call(projects.getByName(projectId), { quotas, now, source, deployment: deployment(), change: { id, sending } })
  try {
    return valueOf(db, await send('first'))
  } catch (error) {
    if (!mayBeStored(error)) throw unavailability(error)
    return valueOf(db, await changedAgain(error, send).catch(failUnavailable))
  }
}

/**
 * Sends a change that the object cannot recognise a second time, so that it is sent once. Throws the faults of
 * {@link unavailability}.
 */
export async function sendOnce<Value>(
  { db, projects, quotas, now, source, deployment }: Calling,
  projectId: string,
  call: (object: ProjectCalls, context: MutationContext) => PromiseLike<Result<Value>>,
): Promise<Value> {
  try {
    return valueOf(db, await call(projects.getByName(projectId), { quotas, now, source, deployment: deployment() }))
  } catch (error) {
    throw unavailability(error)
  }
}
