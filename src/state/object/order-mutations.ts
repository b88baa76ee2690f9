/** The order mutations that run inside the project's object: one guarded D1 batch each. */
import { and, asc, eq, lte, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, type AuditEvent } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { insertWhere, preparedInsert } from '../database/statements.ts'
import type { OrderError, OrderFailure, OrderRestart, OrderResult, StoredOrder } from '../project-calls.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import { containers, containerSecrets, issuedCertificates, orders, secrets } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'
import { live } from '../secrets/secret-rows.ts'

const insertOrder = preparedInsert(orders, belowQuota.orders)
const orderIsStored = sql`exists (select 1 from ${orders} where ${orders.id} = ${sql.placeholder('order')})`
const insertSecretOfOrder = preparedInsert(secrets, orderIsStored)

/** Stores the order if the quota allows it, and its secret only with it; throws `quotaReached` or `projectDestroyed`. */
export async function storeOrder(scope: Scope, { order, secret }: StoredOrder): Promise<null> {
  const generated = secret ? [changeOf(secret, 'create', 'secret', secret.mac)] : []
  const { changed } = await commit(
    scope,
    [changeOf(order, 'create', 'order', order.mac), ...generated],
    insertOrder(order, quotaValues(scope, 'orders', order.projectId)),
    { secret: secret ? [insertSecretOfOrder(secret, { order: order.id })] : [] },
  )
  if (changed === 0) throw await refusalOf(scope, order.projectId)
  return null
}

/** Deletes the project's order; what was generated for it stays. Throws `orderNotFound`. */
export async function removeOrder(scope: Scope, projectId: string, orderId: string): Promise<null> {
  const removal = change(build.delete(orders).where(and(eq(orders.id, orderId), eq(orders.projectId, projectId))))
  const { changed } = await commit(scope, changeOf({ id: orderId, projectId }, 'delete', 'order'), removal)
  if (changed === 0) throw fault('orderNotFound')
  return null
}

const isPending = (projectId: string, orderId: string): SQL | undefined =>
  and(eq(orders.id, orderId), eq(orders.projectId, projectId), eq(orders.status, 'PENDING'))

/** Nothing of an order's run is kept once it has ended. */
const ended = { due: null, store: null, keyVersion: null, sealed: null }

/** The members that existed before still exist: a deletion during the run is not passed over. */
function membersExist({ projectId, members, secrets: generated }: OrderResult, now: string): SQL {
  const isNew = (id: string) => generated.some((secret) => secret.id === id)
  const ids = [...new Set(members.map(({ secretId }) => secretId))].filter((id) => !isNew(id))
  if (ids.length === 0) return sql`true`
  return sql`(select count(*) from ${secrets} where ${secrets.projectId} = ${projectId} and ${live(now)}
    and ${secrets.id} in (select value from json_each(${JSON.stringify(ids)}))) = ${ids.length}`
}

/** That the order has ended, and all that was generated for it. */
function eventsOf({ orderId, projectId, container, secrets: generated, issued }: OrderResult): AuditEvent[] {
  return [
    changeOf({ id: orderId, projectId }, 'update', 'order'),
    changeOf(container, 'create', 'container', container.mac),
    ...generated.map((secret) => changeOf(secret, 'create', 'secret', secret.mac)),
    ...(issued ? [changeOf({ id: issued.serial, projectId }, 'create', 'certificate')] : []),
  ]
}

/**
 * Ends the order ACTIVE with its result, all or nothing, if it is still PENDING: of repeated runs only one is stored, and
 * none for a deleted order. Returns whether this one was.
 */
export async function storeResult(scope: Scope, result: OrderResult): Promise<boolean> {
  const { orderId, projectId, container, subStatus, subStatusMessage } = result
  const active = { status: 'ACTIVE', containerId: container.id, subStatus, subStatusMessage, updated: scope.now }
  const isStored = sql`exists (select 1 from ${orders}
    where ${orders.id} = ${orderId} and ${orders.containerId} = ${container.id})`
  const asRead = and(isPending(projectId, orderId), eq(orders.meta, result.meta), membersExist(result, scope.now))
  const update = build
    .update(orders)
    .set({ ...active, ...ended })
    .where(asRead)
  const { changed } = await commit(scope, eventsOf(result), change(update), {
    container: insertWhere(containers, container, isStored),
    secrets: result.secrets.map((secret) => insertWhere(secrets, secret, isStored)),
    members: result.members.map((member) => insertWhere(containerSecrets, member, isStored)),
    issued: result.issued ? [insertWhere(issuedCertificates, result.issued, isStored)] : [],
  })
  return changed > 0
}

/** Ends an order in ERROR where the condition holds, with its event. */
async function end(
  scope: Scope,
  id: string,
  projectId: string,
  { code, reason }: OrderError,
  where: SQL | undefined,
): Promise<null> {
  const failed = {
    status: 'ERROR',
    errorStatusCode: code,
    errorReason: reason,
    subStatus: null,
    subStatusMessage: null,
    updated: scope.now,
    ...ended,
  }
  const event = { ...changeOf({ id, projectId }, 'update', 'order'), failure: code }
  await commit(scope, event, change(build.update(orders).set(failed).where(where)))
  return null
}

/** Ends the order in ERROR, if it is still PENDING and what the run read. */
export function storeError(scope: Scope, { orderId, projectId, meta, ...error }: OrderFailure): Promise<null> {
  return end(scope, orderId, projectId, error, and(isPending(projectId, orderId), eq(orders.meta, meta)))
}

/** Ends in ERROR an order whose last attempt is over; one that was restarted since is left alone. */
export function giveUpOrder(scope: Scope, projectId: string, orderId: string, error: OrderError): Promise<null> {
  return end(scope, orderId, projectId, error, and(isPending(projectId, orderId), lte(orders.due, scope.now)))
}

/** An order that waits for its next run. */
export interface WaitingOrder {
  readonly id: string
  readonly creatorId: string
  readonly attempts: number
  readonly due: string
}

/** The project's orders that wait for a run, those first that have waited longest. */
export async function waitingOrders({ db }: Scope, projectId: string, most: number): Promise<WaitingOrder[]> {
  const { id, creatorId, attempts, due } = orders
  const rows = await db.run(
    select({ id, creatorId, attempts, due }, (columns) =>
      build
        .select(columns)
        .from(orders)
        .where(and(eq(orders.projectId, projectId), sql`${due} is not null`))
        .orderBy(asc(due))
        .limit(most),
    ),
  )
  return rows.flatMap((row) => (row.due === null ? [] : [{ ...row, due: row.due }]))
}

/** Claims the order for one more run, which has until `due`; false when it has ended or another run has it. */
export async function claimOrder(
  { db, now }: Scope,
  projectId: string,
  orderId: string,
  claim: { readonly due: string; readonly subStatusMessage: string },
): Promise<boolean> {
  const update = build
    .update(orders)
    .set({ ...claim, attempts: sql`${orders.attempts} + 1`, updated: now })
    .where(and(isPending(projectId, orderId), lte(orders.due, now)))
  return (await db.run(change(update))) > 0
}

/**
 * Gives a certificate order that is PENDING or in ERROR another `meta` and restarts it; false when it is ACTIVE or does
 * not exist.
 */
export async function restartOrder(
  scope: Scope,
  projectId: string,
  orderId: string,
  restart: OrderRestart,
): Promise<boolean> {
  const isOpen = sql`${orders.type} = 'certificate' and ${orders.status} in ('PENDING', 'ERROR')`
  const pending = { status: 'PENDING', attempts: 1, errorStatusCode: null, errorReason: null, updated: scope.now }
  const update = build
    .update(orders)
    .set({ ...restart, ...pending })
    .where(and(eq(orders.id, orderId), eq(orders.projectId, projectId), isOpen))
  const event = changeOf({ id: orderId, projectId }, 'update', 'order', restart.mac)
  const { changed } = await commit(scope, event, change(update))
  return changed > 0
}
