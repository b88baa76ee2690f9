/** The order mutations that run inside the project's object: one guarded D1 batch each. */
import { and, asc, eq, lte, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, type AuditEvent } from '../audit/events.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import { changes, insertWhere, writtenInsert } from '../database/statements.ts'
import type { Store } from '../scope.ts'

import type { OrderError, OrderFailure, OrderRestart, OrderResult, StoredOrder } from '../project-calls.ts'
import { containers, containerSecrets, issuedCertificates, orders, secrets } from '../schema/resources.ts'
import { live } from '../secrets/secret-rows.ts'

const insertOrder = writtenInsert(orders, belowQuota.orders)
const orderIsThere = sql`exists (select 1 from ${orders} where ${orders.id} = ${sql.placeholder('order')})`
const insertSecretOfOrder = writtenInsert(secrets, orderIsThere)

/** Stores the order if the quota allows it, and its secret only with it; throws `quotaReached`. */
export async function storeOrder(store: Store, { order, secret }: StoredOrder): Promise<null> {
  const ofOrder = { order: order.id }
  const made = secret ? [changeOf(secret, 'create', 'secret', secret.mac)] : []
  const [result] = await commit(
    store,
    [changeOf(order, 'create', 'order', order.mac), ...made],
    insertOrder(store, order, quotaValues(store, 'orders', order.projectId)),
    ...(secret ? [insertSecretOfOrder(store, secret, ofOrder)] : []),
  )
  if (changes(result) === 0) throw await refusalOf(store, order.projectId)
  return null
}

/** Deletes the project's order; what it made stays. Throws `orderNotFound`. */
export async function removeOrder(store: Store, projectId: string, orderId: string): Promise<null> {
  const removal = store.db.delete(orders).where(and(eq(orders.id, orderId), eq(orders.projectId, projectId)))
  const [result] = await commit(store, changeOf({ id: orderId, projectId }, 'delete', 'order'), removal)
  if (changes(result) === 0) throw fault('orderNotFound')
  return null
}

const isPending = (projectId: string, orderId: string): SQL | undefined =>
  and(eq(orders.id, orderId), eq(orders.projectId, projectId), eq(orders.status, 'PENDING'))

/** Nothing of an order's run is kept once it is over. */
const over = { due: null, store: null, keyVersion: null, sealed: null }

/** The members that were there before are there still: what became of them during the run is not passed over. */
function membersAreThere({ projectId, members, secrets: made }: OrderResult, now: string): SQL {
  const isMade = (id: string) => made.some((secret) => secret.id === id)
  const ids = [...new Set(members.map(({ secretId }) => secretId))].filter((id) => !isMade(id))
  if (ids.length === 0) return sql`true`
  return sql`(select count(*) from ${secrets} where ${secrets.projectId} = ${projectId} and ${live(now)}
    and ${secrets.id} in (select value from json_each(${JSON.stringify(ids)}))) = ${ids.length}`
}

/** That the order has ended, and all that it made. */
function eventsOf({ orderId, projectId, container, secrets: made, issued }: OrderResult): AuditEvent[] {
  return [
    changeOf({ id: orderId, projectId }, 'update', 'order'),
    changeOf(container, 'create', 'container', container.mac),
    ...made.map((secret) => changeOf(secret, 'create', 'secret', secret.mac)),
    ...(issued ? [changeOf({ id: issued.serial, projectId }, 'create', 'certificate')] : []),
  ]
}

/**
 * Ends the order ACTIVE with its result, all or nothing, if it is still PENDING: of repeated runs only one lands, and
 * none for a deleted order. Gives whether this one did.
 */
export async function storeResult(store: Store, result: OrderResult): Promise<boolean> {
  const { orderId, projectId, container, subStatus, subStatusMessage } = result
  const { db, now } = store
  const ended = { status: 'ACTIVE', containerId: container.id, subStatus, subStatusMessage, updated: now, ...over }
  const landed = sql`exists (select 1 from ${orders}
    where ${orders.id} = ${orderId} and ${orders.containerId} = ${container.id})`
  const asRead = and(isPending(projectId, orderId), eq(orders.meta, result.meta), membersAreThere(result, now))
  const [update] = await commit(
    store,
    eventsOf(result),
    db.update(orders).set(ended).where(asRead),
    insertWhere(store, containers, container, landed),
    ...result.secrets.map((secret) => insertWhere(store, secrets, secret, landed)),
    ...result.members.map((member) => insertWhere(store, containerSecrets, member, landed)),
    ...(result.issued ? [insertWhere(store, issuedCertificates, result.issued, landed)] : []),
  )
  return changes(update) > 0
}

const failed = ({ now }: Store, { code, reason }: OrderError) => ({
  status: 'ERROR',
  errorStatusCode: code,
  errorReason: reason,
  subStatus: null,
  subStatusMessage: null,
  updated: now,
  ...over,
})

/** Ends an order in ERROR where the condition holds, with the event of it. */
async function end(store: Store, id: string, projectId: string, error: OrderError, where: SQL | undefined) {
  const change = { ...changeOf({ id, projectId }, 'update', 'order'), failure: error.code }
  await commit(store, change, store.db.update(orders).set(failed(store, error)).where(where))
  return null
}

/** Ends the order in ERROR, if it is still PENDING and what the run read. */
export async function storeError(store: Store, failure: OrderFailure): Promise<null> {
  const { orderId, projectId, meta } = failure
  return end(store, orderId, projectId, failure, and(isPending(projectId, orderId), eq(orders.meta, meta)))
}

/** Ends in ERROR an order whose last attempt is over; one that was begun anew meanwhile is left alone. */
export async function giveUpOrder(store: Store, projectId: string, orderId: string, error: OrderError): Promise<null> {
  return end(store, orderId, projectId, error, and(isPending(projectId, orderId), lte(orders.due, store.now)))
}

/** An order that waits for its next run. */
export interface WaitingOrder {
  readonly id: string
  readonly creatorId: string
  readonly attempts: number
  readonly due: string
}

/** The project's orders that wait for a run, those first that have waited longest. */
export async function waitingOrders(store: Store, projectId: string, most: number): Promise<WaitingOrder[]> {
  const rows = await store.db
    .select({ id: orders.id, creatorId: orders.creatorId, attempts: orders.attempts, due: orders.due })
    .from(orders)
    .where(and(eq(orders.projectId, projectId), sql`${orders.due} is not null`))
    .orderBy(asc(orders.due))
    .limit(most)
  return rows.flatMap(({ due, ...order }) => (due === null ? [] : [{ ...order, due }]))
}

/** Takes the order for one more run, which has until `due`; false when it is over or somebody else has it. */
export async function claimOrder(
  store: Store,
  projectId: string,
  orderId: string,
  claim: { readonly due: string; readonly subStatusMessage: string },
): Promise<boolean> {
  const result = await store.db
    .update(orders)
    .set({ ...claim, attempts: sql`${orders.attempts} + 1`, updated: store.now })
    .where(and(isPending(projectId, orderId), lte(orders.due, store.now)))
  return changes(result) > 0
}

/**
 * Gives a certificate order that is PENDING or in ERROR another `meta` and begins it anew; false when it is over or is
 * not there.
 */
export async function restartOrder(
  store: Store,
  projectId: string,
  orderId: string,
  begun: OrderRestart,
): Promise<boolean> {
  const waits = sql`${orders.type} = 'certificate' and ${orders.status} in ('PENDING', 'ERROR')`
  const update = store.db
    .update(orders)
    .set({ ...begun, status: 'PENDING', attempts: 1, errorStatusCode: null, errorReason: null, updated: store.now })
    .where(and(eq(orders.id, orderId), eq(orders.projectId, projectId), waits))
  const change = changeOf({ id: orderId, projectId }, 'update', 'order', begun.mac)
  const [result] = await commit(store, change, update)
  return changes(result) > 0
}
