/**
 * The object of one project: an address, a queue, an alarm, and the end of the project's audit log. Every order and
 * consumer mutation of the project is stored from here, one after the other; the work itself is in the operations, which
 * keep their invariants in the statement besides.
 */
import { DurableObject } from 'cloudflare:workers'
import { Fault } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { formatTime, millisecondsOf } from '../../times.ts'
import { AUDIT_DAYS } from '../audit/retention.ts'
import { compareRows, PATROL, strangeRowsIn } from './row-ledger.ts'
import { integrityOf, sealEvents } from './seal.ts'
import { SEAL_DELAY } from '../wake.ts'
import {
  unwrap,
  type Integrity,
  type MutationContext,
  type OrderFailure,
  type OrderRestart,
  type OrderResult,
  type ProjectCalls,
  type Result,
  type StoredOrder,
} from '../project-calls.ts'
import { changeContainerConsumer, changeSecretConsumer, type ConsumerChange } from './consumer-mutations.ts'
import type { ContainerRow, Registration, SecretRow } from '../entities.ts'
import { GroupCommit } from './group-commit.ts'
import { isSuperseded } from '../database/refusals.ts'
import { Session, type Connection } from '../database/session.ts'
import { byService, type QuotaLimits, type Scope } from '../scope.ts'
import {
  claimOrder,
  giveUpOrder,
  removeOrder,
  restartOrder,
  storeError,
  storeOrder,
  storeResult,
  waitingOrders,
  type WaitingOrder,
} from './order-mutations.ts'
import { attemptTimes, MOST_ORDERS_PER_ALARM, ORDER_RUN, unfinished } from '../orders/order-schedule.ts'
import { progressOf, SHORTEST_ATTEMPT } from '../orders/order-schedule.ts'

/** When rows were last compared, in milliseconds. */
const LAST_PATROL = 'last patrol'

const NO_QUOTAS: QuotaLimits = { secrets: -1, orders: -1, containers: -1, consumers: -1 }

/**
 * The object of a project: its order and consumer mutations in the order in which they came, the runs of its orders, the
 * sealing of its audit log, and the comparison of its rows with what it remembers of them.
 */
export class ProjectObject
  extends DurableObject<{ readonly DB: D1Database; readonly AUDIT_DAYS?: unknown }>
  implements ProjectCalls
{
  /** Through it the mutations reach the database in the order in which they came, with those that wait beside them. */
  readonly #group = new GroupCommit(() => this.env.DB)

  async #mutate<Value>(context: MutationContext, mutation: (scope: Scope) => Promise<Value>): Promise<Result<Value>> {
    try {
      await this.sealBy(formatTime(Date.now() + SEAL_DELAY))
      const value = await mutation(this.#scope(context, this.#group))
      return { value, observed: this.#group.observed }
    } catch (error) {
      const { observed } = this.#group
      if (error instanceof Fault) return { failure: error.failure, details: error.details, observed }
      if (isSuperseded(error)) return { failure: 'keySuperseded', details: [], observed }
      throw error
    }
  }

  /** Stores an order that is finished already, with what it made; see {@link storeOrder}. */
  placeOrder(context: MutationContext, order: StoredOrder): Promise<Result<null>> {
    return this.#mutate(context, (scope) => storeOrder(scope, order))
  }

  /**
   * Accepts an order that is to be run. The alarm is set before the row is there: after a crash between the two the
   * alarm finds nothing to do, while the other order could leave an order behind that nobody runs.
   */
  acceptOrder(context: MutationContext, order: StoredOrder): Promise<Result<null>> {
    return this.#mutate(context, async (scope) => {
      await this.#wakeAt(order.order.due ?? context.now)
      return storeOrder(scope, order)
    })
  }

  /** Ends an order with its result; see {@link storeResult}. */
  finishOrder(context: MutationContext, result: OrderResult): Promise<Result<boolean>> {
    return this.#mutate(context, (scope) => storeResult(scope, result))
  }

  /** Ends an order in ERROR; see {@link storeError}. */
  failOrder(context: MutationContext, failure: OrderFailure): Promise<Result<null>> {
    return this.#mutate(context, (scope) => storeError(scope, failure))
  }

  /** Begins a certificate order anew, the alarm first as in {@link acceptOrder}; see {@link restartOrder}. */
  updateOrder(
    context: MutationContext,
    projectId: string,
    orderId: string,
    begun: OrderRestart,
  ): Promise<Result<boolean>> {
    return this.#mutate(context, async (scope) => {
      await this.#wakeAt(begun.due)
      return restartOrder(scope, projectId, orderId, begun)
    })
  }

  /** Deletes an order; see {@link removeOrder}. */
  deleteOrder(context: MutationContext, projectId: string, orderId: string): Promise<Result<null>> {
    return this.#mutate(context, (scope) => removeOrder(scope, projectId, orderId))
  }

  /** Registers or removes a consumer of a secret; returns the secret's row as it is then. */
  changeSecretConsumer(
    context: MutationContext,
    change: ConsumerChange,
    registration: Registration<'secret'>,
  ): Promise<Result<SecretRow>> {
    return this.#mutate(context, (scope) => changeSecretConsumer(scope, change, registration))
  }

  /** Registers or removes a consumer of a container; returns the container's row as it is then. */
  changeContainerConsumer(
    context: MutationContext,
    change: ConsumerChange,
    registration: Registration<'container'>,
  ): Promise<Result<ContainerRow>> {
    return this.#mutate(context, (scope) => changeContainerConsumer(scope, change, registration))
  }

  /** The scope of a mutation. The object seals its events by itself, so that a change wakes nobody. */
  #scope(context: MutationContext, db: Connection = new Session(this.env.DB, 'first-primary')): Scope {
    return { db, recorded: () => undefined, ...context }
  }

  /** Has the project's new audit events sealed at `time`, or before. */
  async sealBy(time: string): Promise<void> {
    await this.#wakeAt(time)
  }

  /** Where the project's audit log ends, when it did not end there, and which rows were not what was sealed. */
  async integrity(): Promise<Integrity> {
    return { ...(await integrityOf(this.ctx.storage)), rows: await strangeRowsIn(this.ctx.storage) }
  }

  /** When the alarm is set for, as far as this object has learned it since it began; null: it is to be asked. */
  #alarm: number | null = null

  async #wakeAt(time: string): Promise<void> {
    const at = millisecondsOf(time)
    if (this.#alarm !== null && this.#alarm <= at) return
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > at) await this.ctx.storage.setAlarm(at)
    this.#alarm = set === null || set > at ? at : set
  }

  /**
   * Does what is due: runs orders, and seals audit events, those of these runs too. The runtime gives an alarm that
   * fails a few more chances and then forgets it, so that this one never fails: it sets the next one instead.
   */
  override async alarm(): Promise<void> {
    const projectId = this.ctx.id.name
    if (projectId === undefined) return
    this.#alarm = null
    try {
      await this.#runWaiting(projectId)
      await this.#seal(projectId)
    } catch (error) {
      logProblem({ event: 'alarm failed', ...factsOf(error) })
      await this.#wakeAt(formatTime(Date.now() + SHORTEST_ATTEMPT))
    }
  }

  async #seal(projectId: string): Promise<void> {
    const now = formatTime(Date.now())
    const scope = this.#scope({ quotas: NO_QUOTAS, now, source: byService('Sealing of the audit log') })
    const days = Number(this.env.AUDIT_DAYS || AUDIT_DAYS.byDefault)
    if (await sealEvents(this.ctx.storage, scope, projectId, days)) return this.#wakeAt(now)
    await this.#patrol(projectId)
  }

  /** Compares the project's rows with what is remembered of them when it is time to, and sees to the next time. */
  async #patrol(projectId: string): Promise<void> {
    const now = Date.now()
    const { storage } = this.ctx
    const last = (await storage.get<number>(LAST_PATROL)) ?? 0
    if (now < last + PATROL) return this.#wakeAt(formatTime(last + PATROL))
    const source = byService('Comparison of rows')
    await compareRows(storage, this.#scope({ quotas: NO_QUOTAS, now: formatTime(now), source }), projectId)
    await storage.put(LAST_PATROL, now)
    await this.#wakeAt(formatTime(now + PATROL))
  }

  /** Runs the orders whose time has come: those that were accepted and whose run did not end. */
  async #runWaiting(projectId: string): Promise<void> {
    const now = formatTime(Date.now())
    const scope = this.#scope({ quotas: NO_QUOTAS, now, source: byService(ORDER_RUN) })
    const waiting = await waitingOrders(scope, projectId, MOST_ORDERS_PER_ALARM)
    const due = waiting.filter((order) => order.due <= now)
    const runs = Promise.all(due.map((order) => this.#runAgain(projectId, order)))
    // There is one alarm at a time: a run that hangs must not keep the other orders from theirs.
    await Promise.race([runs, new Promise((resolve) => setTimeout(resolve, SHORTEST_ATTEMPT))])
    const [next] = await waitingOrders(scope, projectId, 1)
    if (next) await this.#wakeAt(next.due)
  }

  async #runAgain(projectId: string, { id, requesterId, attempts }: WaitingOrder): Promise<void> {
    const given = { quotas: NO_QUOTAS, now: formatTime(Date.now()), source: byService(ORDER_RUN, requesterId) }
    if (attempts >= attemptTimes.length) {
      await unwrap(
        null,
        this.#mutate(given, (scope) => giveUpOrder(scope, projectId, id, unfinished)),
      )
      return
    }
    const claim = progressOf(attempts + 1, given.now)
    const claimed = await unwrap(
      null,
      this.#mutate(given, (scope) => claimOrder(scope, projectId, id, claim)),
    )
    // Outside of the object, so that a slow generation never holds up the project.
    if (claimed) await this.ctx.exports.OrderRunner.run(projectId, id)
  }
}
