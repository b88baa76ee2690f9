/**
 * Calls of the Durable Object of a project: what each is sent and what it returns. Everything here is plain data, because
 * a class does not survive the call.
 */
import { Fault, type FailureName } from '../faults.ts'
import type { Observed, Session } from './database/session.ts'
import type { ContainerRow, Registration, SecretRow } from './entities.ts'
import type { containers, containerSecrets, issuedCertificates, orders, secrets } from './schema/resources.ts'
import type { Scope } from './scope.ts'

/** An order as it is to be stored, together with the secret that was generated for it, if any. */
export interface StoredOrder {
  readonly order: typeof orders.$inferInsert
  readonly secret: typeof secrets.$inferInsert | null
}

/** What a run generated for an order: a container with secrets, some of them new. */
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

/** Why an order ended in ERROR: a status as text, and a reason of at most 255 characters. */
export interface OrderError {
  readonly code: string
  readonly reason: string
}

/** The end of a run without a result. */
export interface OrderFailure extends OrderError {
  readonly orderId: string
  readonly projectId: string
  /** The MAC of the order that the run read; see {@link OrderResult}. */
  readonly mac: string
}

/** What a certificate order is given when it starts again. */
export interface OrderRestart {
  readonly meta: string
  /** Who asks: the run has the rights of this user. */
  readonly requesterId: string
  readonly mac: string
  /** When the next attempt starts unless this one has ended: UTC text of 26 characters. */
  readonly due: string
  readonly subStatus: string
  readonly subStatusMessage: string
}

/** The last event of an audit chain. */
export interface ChainHead {
  readonly number: number
  readonly hash: string
}

/** The database did not end with the event that the object knows as the last one. */
export interface Incident {
  readonly time: string
  readonly expected: ChainHead
  /** The last event that was there; null: none. */
  readonly found: ChainHead | null
}

/** What the object knows about its project's audit log and rows. */
export interface Integrity {
  readonly head: ChainHead
  readonly incidents: readonly Incident[]
  /** Rows that differ from what was sealed, as `<kind>/<id> <difference>`; the newest last. */
  readonly rows: readonly string[]
}

/** What a mutation needs of its request. */
export type MutationContext = Pick<Scope, 'quotas' | 'now' | 'source'>

/** What a call returns: a value or a failure, and what the object has observed of the database. */
export type Result<Value> = { readonly observed: Observed } & (
  { readonly value: Value } | { readonly failure: FailureName; readonly details: readonly string[] }
)

type Call<Parameters extends readonly unknown[], Value> = (...parameters: Parameters) => PromiseLike<Value>
type Mutation<Parameters extends readonly unknown[], Value> = Call<
  readonly [context: MutationContext, ...Parameters],
  Result<Value>
>

/** The calls of one project's object. `object/project-object.ts` says what each of them promises. */
export interface ProjectCalls {
  readonly placeOrder: Mutation<[order: StoredOrder], null>
  readonly acceptOrder: Mutation<[order: StoredOrder], null>
  readonly finishOrder: Mutation<[result: OrderResult], boolean>
  readonly failOrder: Mutation<[failure: OrderFailure], null>
  readonly updateOrder: Mutation<[projectId: string, orderId: string, restart: OrderRestart], boolean>
  readonly deleteOrder: Mutation<[projectId: string, orderId: string], null>
  readonly changeSecretConsumer: Mutation<[change: 'add' | 'delete', registration: Registration<'secret'>], SecretRow>
  readonly changeContainerConsumer: Mutation<
    [change: 'add' | 'delete', registration: Registration<'container'>],
    ContainerRow
  >
  readonly sealBy: Call<[time: string], void>
  readonly integrity: Call<[], Integrity>
}

/** The objects of all projects. */
export interface ProjectObjects {
  readonly getByName: (projectId: string) => ProjectCalls
}

/** The context of a request as it is sent to an object. */
export const mutationContext = ({ quotas, now, source }: Scope): MutationContext => ({ quotas, now, source })

/** The value of a call, whose bookmark the caller's session takes over; throws the fault that the object met. */
export async function unwrap<Value>(session: Session | null, call: PromiseLike<Result<Value>>): Promise<Value> {
  const result = await call
  session?.observe(result.observed)
  if ('failure' in result) throw new Fault(result.failure, result.details)
  return result.value
}
