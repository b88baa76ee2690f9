/**
 * The object of one project: an address, a lock and an alarm. Every order and consumer mutation of the project runs
 * here, one at a time; the work itself is in the operations, which keep their invariants in the statement besides.
 */
import { DurableObject } from 'cloudflare:workers'
import { Fault, type FailureName } from '../faults.ts'
import { formatTime } from '../times.ts'
import {
  removeConsumer,
  storeConsumer,
  type ConsumerKind,
  type EntityRows,
  type Registration,
} from './consumer-rows.ts'
import {
  claimOrder,
  removeOrder,
  restartOrder,
  storeError,
  storeOrder,
  storeResult,
  waitingOrders,
  type OrderError,
  type OrderResult,
  type StoredOrder,
} from './order-rows.ts'
import { Session, type Seen } from './session.ts'
import { database, type QuotaLimits, type Store } from './store.ts'
import { attemptTimes, exhausted, MOST_ORDERS_PER_ALARM, progressOf } from './order-schedule.ts'

/**
 * What a call on the object gives: a value, or a failure as plain data (a class does not cross the call), and what the
 * object's session with the database has seen.
 */
export type Outcome<Value> = { readonly seen: Seen } & (
  { readonly value: Value } | { readonly failure: FailureName; readonly details: readonly string[] }
)

/** What a mutation needs of its request. */
export interface Circumstances {
  readonly quotas: QuotaLimits
  readonly now: string
}

/** Runs an order outside of the object, so that a slow generation never holds up the project. */
export interface OrderRunner {
  run(projectId: string, orderId: string): Promise<void>
}

/** The circumstances of a request, as plain data. */
export const circumstances = ({ quotas, now }: Store): Circumstances => ({ quotas, now })

/** The value of a call on the object, whose bookmark the caller's session follows; throws the fault that it met. */
export async function settled<Value>(session: Session | null, call: PromiseLike<Outcome<Value>>): Promise<Value> {
  const outcome = await call
  session?.follow(outcome.seen)
  if ('failure' in outcome) throw new Fault(outcome.failure, outcome.details)
  return outcome.value
}

const NO_QUOTAS: QuotaLimits = { secrets: -1, orders: -1, containers: -1, consumers: -1 }

export class ProjectObject extends DurableObject<{ readonly DB: D1Database }> {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `mutation` after all that came before it. A Durable Object alone interleaves calls that await D1. */
  #serialised<Value>(
    { quotas, now }: Circumstances,
    mutation: (store: Store) => Promise<Value>,
  ): Promise<Outcome<Value>> {
    const run = async (): Promise<Outcome<Value>> => {
      const session = new Session(this.env.DB, 'first-primary')
      try {
        const value = await mutation({ db: session.db, quotas, now })
        return { value, seen: session.seen }
      } catch (error) {
        if (error instanceof Fault) return { failure: error.failure, details: error.details, seen: session.seen }
        throw error
      }
    }
    const result = this.#last.then(run)
    this.#last = result.catch(() => null)
    return result
  }

  /** Stores an order that is finished already, with what it made; see {@link storeOrder}. */
  placeOrder(circumstances: Circumstances, order: StoredOrder): Promise<Outcome<null>> {
    return this.#serialised(circumstances, (store) => storeOrder(store, order))
  }

  /**
   * Accepts an order that is to be run. The alarm is set before the row is there: after a crash between the two the
   * alarm finds nothing to do, while the other order could leave an order behind that nobody runs.
   */
  acceptOrder(circumstances: Circumstances, order: StoredOrder): Promise<Outcome<null>> {
    return this.#serialised(circumstances, async (store) => {
      await this.#wakeAt(order.order.due ?? circumstances.now)
      return storeOrder(store, order)
    })
  }

  /** Ends an order with its result; see {@link storeResult}. */
  finishOrder(circumstances: Circumstances, result: OrderResult): Promise<Outcome<boolean>> {
    return this.#serialised(circumstances, (store) => storeResult(store, result))
  }

  /** Ends an order in ERROR; see {@link storeError}. */
  failOrder(
    circumstances: Circumstances,
    projectId: string,
    orderId: string,
    error: OrderError,
  ): Promise<Outcome<null>> {
    return this.#serialised(circumstances, (store) => storeError(store, projectId, orderId, error))
  }

  /** Begins a certificate order anew, the alarm first as in {@link acceptOrder}; see {@link restartOrder}. */
  updateOrder(
    circumstances: Circumstances,
    projectId: string,
    orderId: string,
    begun: Parameters<typeof restartOrder>[3],
  ): Promise<Outcome<boolean>> {
    return this.#serialised(circumstances, async (store) => {
      await this.#wakeAt(begun.due)
      return restartOrder(store, projectId, orderId, begun)
    })
  }

  /** Deletes an order; see {@link removeOrder}. */
  deleteOrder(circumstances: Circumstances, projectId: string, orderId: string): Promise<Outcome<null>> {
    return this.#serialised(circumstances, (store) => removeOrder(store, projectId, orderId))
  }

  /** Registers a consumer; see {@link storeConsumer}. */
  addConsumer(circumstances: Circumstances, registration: Registration): Promise<Outcome<EntityRows[ConsumerKind]>> {
    return this.#serialised(circumstances, (store) => storeConsumer(store, registration))
  }

  /** Takes a consumer away; see {@link removeConsumer}. */
  deleteConsumer(circumstances: Circumstances, registration: Registration): Promise<Outcome<EntityRows[ConsumerKind]>> {
    return this.#serialised(circumstances, (store) => removeConsumer(store, registration))
  }

  async #wakeAt(time: string): Promise<void> {
    const at = Date.parse(`${time}Z`)
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > at) await this.ctx.storage.setAlarm(at)
  }

  /** Runs the orders whose time has come: those that were accepted and whose run did not end. */
  override async alarm(): Promise<void> {
    const projectId = this.ctx.id.name
    if (projectId === undefined) return
    const now = formatTime(Date.now())
    const waiting = await waitingOrders(
      { db: database(this.env.DB), quotas: NO_QUOTAS, now },
      projectId,
      MOST_ORDERS_PER_ALARM,
    )
    const due = waiting.filter((order) => order.due <= now)
    for (const order of due) await this.#runAgain(projectId, order.id, order.attempts)
    const [next] = await waitingOrders({ db: database(this.env.DB), quotas: NO_QUOTAS, now }, projectId, 1)
    if (next) await this.#wakeAt(next.due)
  }

  async #runAgain(projectId: string, orderId: string, attempts: number): Promise<void> {
    const now = formatTime(Date.now())
    const given = { quotas: NO_QUOTAS, now }
    if (attempts >= attemptTimes.length) {
      await this.failOrder(given, projectId, orderId, exhausted)
      return
    }
    const claim = progressOf(attempts + 1, now)
    const claimed = await settled(
      null,
      this.#serialised(given, (store) => claimOrder(store, projectId, orderId, claim)),
    )
    const { OrderRunner: runner } = this.ctx.exports as unknown as { readonly OrderRunner: OrderRunner }
    if (claimed) await runner.run(projectId, orderId)
  }
}
