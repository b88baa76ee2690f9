/**
 * The Durable Object of one project. It runs the project's order and consumer mutations in order of arrival, sets an
 * alarm for order runs, and stores the head of the project's audit log. The mutations are in `order-mutations.ts` and
 * `consumer-mutations.ts`; their statements enforce the invariants too, so correctness does not depend on the queue.
 */
import { DurableObject } from 'cloudflare:workers'
import { Fault } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { formatTime, millisecondsOf } from '../../times.ts'
import { DEPLOYMENT } from '../audit/events.ts'
import { AUDIT_DAYS } from '../audit/retention.ts'
import { isSuperseded } from '../database/refusals.ts'
import { Session, type Connection } from '../database/session.ts'
import type { ContainerRow, Registration, SecretRow } from '../entities.ts'
import {
  attemptTimes,
  MOST_ORDERS_PER_ALARM,
  ORDER_RUN,
  progressOf,
  SHORTEST_ATTEMPT,
  unfinished,
} from '../orders/order-schedule.ts'
import { placedObjects, type Places, type ProjectNamespace } from '../places.ts'
import {
  valueOf,
  type Integrity,
  type MutationContext,
  type OrderFailure,
  type OrderRestart,
  type OrderResult,
  type ProjectCalls,
  type ProjectReport,
  type ReadOnly,
  type Result,
  type StoredOrder,
} from '../project-calls.ts'
import { byService, type QuotaLimits, type Scope } from '../scope.ts'
import { SEAL_DELAY } from '../wake.ts'
import { Belonging } from './belonging.ts'
import { changeContainerConsumer, changeSecretConsumer, type ConsumerChange } from './consumer-mutations.ts'
import { GroupCommit } from './group-commit.ts'
import { applyMigrations } from './migrate.ts'
import {
  claimOrder,
  failTimedOutOrder,
  removeOrder,
  restartOrder,
  saveError,
  saveOrder,
  saveResult,
  waitingOrders,
  type WaitingOrder,
} from './order-mutations.ts'
import { compareRows, COMPARISON_INTERVAL, nextComparison, patrolIn } from './patrol.ts'
import { adoptReport, continueAdoption, inspectProject } from './reconciliation.ts'
import { RowLedger } from './row-ledger.ts'
import { integrityOf, sealEvents } from './seal.ts'

/**
 * More statements than any alarm or call of an object sends to the database: D1 allows 1,000 for each on the paid plan.
 * Sealing sends 60, a comparison 71, an inspection 176, and the runs of an alarm's orders five each.
 */
export const MOST_STATEMENTS_PER_ALARM = 500

/** Differing rows that {@link ProjectObject.integrity} names. */
const MOST_NAMED = 1_000

/** The context of what the object does by itself. */
type OwnContext = Omit<MutationContext, 'deployment'>
/** Milliseconds after which an alarm that fell due while the service was read-only looks again. */
const READ_ONLY_REST = 60_000
const READ_ONLY = 'read-only'

/** The bindings and variables that an object uses. */
interface ObjectEnvironment {
  readonly DB: D1Database
  readonly PROJECT: ProjectNamespace
  readonly AUDIT_DAYS?: unknown
  readonly READ_ONLY?: unknown
  readonly OBJECT_LOCATION?: Places['location']
  readonly JURISDICTION?: Places['jurisdiction']
}

const NO_QUOTAS: QuotaLimits = { secrets: -1, orders: -1, containers: -1, consumers: -1 }

/**
 * Serialises the order and consumer mutations of a project, runs its orders, seals its audit log, and compares its rows
 * with the ledger.
 */
export class ProjectObject extends DurableObject<ObjectEnvironment> implements ProjectCalls {
  /** Sends mutations in order of arrival; those that wait at the same time share a round trip. */
  readonly #group = new GroupCommit(() => this.env.DB)
  readonly #belonging = new Belonging(this.ctx.storage)

  /** Runs a mutation that a Worker of the object's deployment asks for. */
  #called<Value>(context: MutationContext, mutation: (scope: Scope) => Promise<Value>): Promise<Result<Value>> {
    return this.#mutate(context, async (scope) => {
      await this.#belonging.requireDeployment(context.deployment)
      return mutation(scope)
    })
  }

  /** Throws `objectsForeign` if the database is that of another deployment. */
  #requireDatabase(): Promise<void> {
    return this.#belonging.requireDatabase(new Session(this.env.DB, 'first-primary'))
  }

  async #mutate<Value>(context: OwnContext, mutation: (scope: Scope) => Promise<Value>): Promise<Result<Value>> {
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

  /** Saves an order that is already finished, with the secret that it generated; see {@link saveOrder}. */
  placeOrder(context: MutationContext, order: StoredOrder): Promise<Result<null>> {
    return this.#called(context, (scope) => saveOrder(scope, order))
  }

  /**
   * Accepts an order that is to be run. The alarm is set before the row is saved: after a crash between the two the
   * alarm finds nothing to do, whereas the reverse could leave an order that is never run.
   */
  acceptOrder(context: MutationContext, order: StoredOrder): Promise<Result<null>> {
    return this.#called(context, async (scope) => {
      await this.#wakeAt(order.order.due ?? context.now)
      return saveOrder(scope, order)
    })
  }

  /** Ends an order with its result; see {@link saveResult}. */
  finishOrder(context: MutationContext, result: OrderResult): Promise<Result<boolean>> {
    return this.#called(context, (scope) => saveResult(scope, result))
  }

  /** Ends an order in ERROR; see {@link saveError}. */
  failOrder(context: MutationContext, failure: OrderFailure): Promise<Result<null>> {
    return this.#called(context, (scope) => saveError(scope, failure))
  }

  /** Restarts a certificate order, setting the alarm first as {@link acceptOrder} does; see {@link restartOrder}. */
  updateOrder(
    context: MutationContext,
    projectId: string,
    orderId: string,
    restart: OrderRestart,
  ): Promise<Result<boolean>> {
    return this.#called(context, async (scope) => {
      await this.#wakeAt(restart.due)
      return restartOrder(scope, projectId, orderId, restart)
    })
  }

  /** Deletes an order; see {@link removeOrder}. */
  deleteOrder(context: MutationContext, projectId: string, orderId: string): Promise<Result<null>> {
    return this.#called(context, (scope) => removeOrder(scope, projectId, orderId))
  }

  /** Registers or removes a consumer of a secret; returns the secret's row after the change, or null over a stale one. */
  changeSecretConsumer(
    context: MutationContext,
    change: ConsumerChange,
    registration: Registration<'secret'>,
  ): Promise<Result<SecretRow | null>> {
    return this.#called(context, (scope) => changeSecretConsumer(scope, change, registration))
  }

  /** As {@link changeSecretConsumer}, of a container. */
  changeContainerConsumer(
    context: MutationContext,
    change: ConsumerChange,
    registration: Registration<'container'>,
  ): Promise<Result<ContainerRow | null>> {
    return this.#called(context, (scope) => changeContainerConsumer(scope, change, registration))
  }

  /**
   * The scope of a mutation. `recorded` does nothing, because the object schedules the sealing of its events itself.
   */
  #scope(context: OwnContext, db: Connection = new Session(this.env.DB, 'first-primary')): Scope {
    return { db, recorded: () => undefined, ...context }
  }

  /** Schedules the sealing of the project's new audit events for `time` or earlier. */
  async sealBy(time: string): Promise<void> {
    await this.#wakeAt(time)
  }

  /** The head of the project's audit log, the incidents in which the log did not match it, and the differing rows. */
  async integrity(): Promise<Integrity> {
    return { ...(await integrityOf(this.ctx.storage)), rows: new RowLedger(this.ctx.storage).findings(MOST_NAMED) }
  }

  /** Seals and compares, each a bounded number at a time, and returns what differs; see {@link inspectProject}. */
  async inspect(): Promise<ProjectReport> {
    const projectId = this.#projectId()
    return this.#audited(async () => {
      await this.#requireDatabase()
      const isSealed = !(await this.#seal(projectId))
      const now = Date.now()
      const options = { head: (await integrityOf(this.ctx.storage)).head.number, now }
      const { told, ...report } = await inspectProject(this.ctx.storage, this.#patrolScope(now), projectId, options)
      await this.#wakeForPatrol(told)
      return { ...report, complete: report.complete && isSealed }
    })
  }

  /**
   * Adopts what {@link inspect} has reported; see {@link adoptReport}. Returns whether all of it is adopted; the alarm
   * adopts the rest.
   */
  adopt(context: MutationContext, confirm: string): Promise<Result<boolean>> {
    const projectId = this.#projectId()
    return this.#called(context, (scope) =>
      this.#audited(() => adoptReport(this.ctx.storage, scope, projectId, confirm)),
    )
  }

  #projectId(): string {
    const { name } = this.ctx.id
    if (name === undefined) throw new Error('the object has no name')
    return name
  }

  #migration: Promise<string[]> | null = null

  /**
   * Applies the missing migrations and returns their names; see {@link applyMigrations}. Only the object of the
   * deployment is called. Calls that arrive meanwhile get the result of the same run.
   */
  migrate(): Promise<readonly string[]> {
    this.#migration ??= applyMigrations(this.env.DB).finally(() => {
      this.#migration = null
    })
    return this.#migration
  }

  /** That the operator has made the service read-only, as {@link setReadOnly} has stored it. */
  async readOnly(): Promise<ReadOnly | null> {
    return (await this.ctx.storage.get<ReadOnly>(READ_ONLY)) ?? null
  }

  async setReadOnly(state: ReadOnly | null): Promise<void> {
    await this.ctx.storage.put(READ_ONLY, state)
  }

  /** Whether the service is read-only: by its variable, or by the object of the deployment. */
  async #isReadOnly(projectId: string): Promise<boolean> {
    if (this.env.READ_ONLY === 'on') return true
    if (projectId === DEPLOYMENT) return (await this.readOnly()) !== null
    const places = { location: this.env.OBJECT_LOCATION ?? '', jurisdiction: this.env.JURISDICTION ?? '' }
    return (await placedObjects(this.env.PROJECT, places).getByName(DEPLOYMENT).readOnly()) !== null
  }

  /** The passes of claimed runs that have not begun, with their orders. They are lost with the object, and so is the run. */
  readonly #passes = new Map<string, string>()

  /** Reports whether the pass was issued for the claimed run of this order, and ends it. */
  async takePass(orderId: string, pass: string): Promise<boolean> {
    return this.#passes.get(pass) === orderId && this.#passes.delete(pass)
  }

  /** The time of the alarm, cached since this object started; null if it must be read from storage. */
  #alarm: number | null = null

  async #wakeAt(time: string): Promise<void> {
    const at = millisecondsOf(time)
    if (this.#alarm !== null && this.#alarm <= at) return
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > at) await this.ctx.storage.setAlarm(at)
    this.#alarm = set === null || set > at ? at : set
  }

  /**
   * Runs the orders that are due, then seals audit events, including those of these runs. It never throws, because the
   * runtime drops an alarm after a few failed retries: on an error it sets the next alarm instead.
   */
  override async alarm(): Promise<void> {
    const projectId = this.ctx.id.name
    if (projectId === undefined) return
    this.#alarm = null
    try {
      if (await this.#isReadOnly(projectId)) return await this.#wakeAt(formatTime(Date.now() + READ_ONLY_REST))
      await this.#requireDatabase()
      await this.#runWaiting(projectId)
      await this.#audited(() => this.#maintain(projectId))
    } catch (error) {
      if (error instanceof Fault && error.failure === 'objectsForeign') {
        logProblem({ event: 'object of another deployment', project: projectId })
        return this.#wakeAt(formatTime(Date.now() + COMPARISON_INTERVAL))
      }
      logProblem({ event: 'alarm failed', ...factsOf(error) })
      await this.#wakeAt(formatTime(Date.now() + SHORTEST_ATTEMPT))
    }
  }

  /** The last work on the log and the ledger: such work never overlaps, because it awaits the database in between. */
  #auditing: Promise<unknown> = Promise.resolve()

  #audited<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#auditing.then(work)
    this.#auditing = result.catch(() => null)
    return result
  }

  /** Seals events, then continues an adoption, then compares rows if that is due, and sets the next alarm. */
  async #maintain(projectId: string): Promise<void> {
    const { storage } = this.ctx
    if ((await this.#seal(projectId)) || !(await continueAdoption(storage))) return this.#wakeAt(formatTime(Date.now()))
    const now = Date.now()
    const head = (await integrityOf(storage)).head.number
    const due = nextComparison(await patrolIn(storage), head)
    const isDue = due !== null && due <= now
    const told = isDue && (await compareRows(storage, this.#patrolScope(now), projectId, { head, now })).told
    await this.#wakeForPatrol(told)
  }

  /** Sets the alarm for the next comparison, and earlier if the last one has recorded an event, which is to be sealed. */
  async #wakeForPatrol(told: boolean): Promise<void> {
    const { storage } = this.ctx
    if (told) await this.#wakeAt(formatTime(Date.now() + SEAL_DELAY))
    const due = nextComparison(await patrolIn(storage), (await integrityOf(storage)).head.number)
    if (due !== null) await this.#wakeAt(formatTime(due))
  }

  #patrolScope(now: number): Scope {
    const source = byService('Comparison of rows')
    return this.#scope({ quotas: NO_QUOTAS, now: formatTime(now), source })
  }

  /** Seals a bounded number of events. Returns whether some may be left. */
  async #seal(projectId: string): Promise<boolean> {
    const now = formatTime(Date.now())
    const scope = this.#scope({ quotas: NO_QUOTAS, now, source: byService('Sealing of the audit log') })
    const days = Number(this.env.AUDIT_DAYS || AUDIT_DAYS.byDefault)
    return sealEvents(this.ctx.storage, scope, projectId, days)
  }

  /** Runs the orders that are due: those that were accepted and whose last run did not finish in time. */
  async #runWaiting(projectId: string): Promise<void> {
    const now = formatTime(Date.now())
    const scope = this.#scope({ quotas: NO_QUOTAS, now, source: byService(ORDER_RUN) })
    const waiting = await waitingOrders(scope, projectId, MOST_ORDERS_PER_ALARM)
    const due = waiting.filter((order) => order.due <= now)
    const runs = Promise.all(due.map((order) => this.#runAgain(projectId, order)))
    // An object has one alarm at a time, so a run that hangs must not delay the next alarm for the other orders.
    await Promise.race([runs, new Promise((resolve) => setTimeout(resolve, SHORTEST_ATTEMPT))])
    const [next] = await waitingOrders(scope, projectId, 1)
    if (next) await this.#wakeAt(next.due)
  }

  async #runAgain(projectId: string, { id, requesterId, attempts }: WaitingOrder): Promise<void> {
    const source = byService(ORDER_RUN, requesterId)
    const context = { quotas: NO_QUOTAS, now: formatTime(Date.now()), source }
    if (attempts >= attemptTimes.length) {
      valueOf(null, await this.#mutate(context, (scope) => failTimedOutOrder(scope, projectId, id, unfinished)))
      return
    }
    const claim = progressOf(attempts + 1, context.now)
    const claimed = valueOf(null, await this.#mutate(context, (scope) => claimOrder(scope, projectId, id, claim)))
    if (!claimed) return
    const pass = crypto.randomUUID()
    this.#passes.set(pass, id)
    try {
      // Outside of the object, so that a slow generation never holds up the project.
      await this.ctx.exports.OrderRunner.run(projectId, id, pass)
    } finally {
      this.#passes.delete(pass)
    }
  }
}
