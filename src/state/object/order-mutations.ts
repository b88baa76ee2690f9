/**
 * Order mutations. They run in the project's Durable Object, each as one D1 batch whose statements check the
 * preconditions.
 */
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
const orderExists = sql`exists (select 1 from ${orders} where ${orders.id} = ${sql.placeholder('order')})`
const insertSecretOfOrder = preparedInsert(secrets, orderExists)

/**
 * Saves an order, and its secret if there is one. Throws `quotaReached` or `projectDestroyed`, and then saves neither.
 */
export async function saveOrder(scope: Scope, { order, secret }: StoredOrder): Promise<null> {
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

/** Deletes an order; what was generated for it remains. Throws `orderNotFound`. */
export async function removeOrder(scope: Scope, projectId: string, orderId: string): Promise<null> {
  const removal = change(build.delete(orders).where(and(eq(orders.id, orderId), eq(orders.projectId, projectId))))
  const { changed } = await commit(scope, changeOf({ id: orderId, projectId }, 'delete', 'order'), removal)
  if (changed === 0) throw fault('orderNotFound')
  return null
}

const isPending = (projectId: string, orderId: string): SQL | undefined =>
  and(eq(orders.id, orderId), eq(orders.projectId, projectId), eq(orders.status, 'PENDING'))

/** The columns of an order's run, which are cleared when the run ends. */
const runColumnsCleared = { due: null, store: null, keyVersion: null, sealed: null }

/** SQL: the secrets that existed before the run still do, so a deletion during the run is not overlooked. */
function membersExist({ projectId, members, secrets: generated }: OrderResult, now: string): SQL {
  const isNew = (id: string) => generated.some((secret) => secret.id === id)
  const ids = [...new Set(members.map(({ secretId }) => secretId))].filter((id) => !isNew(id))
  if (ids.length === 0) return sql`true`
  return sql`(select count(*) from ${secrets} where ${secrets.projectId} = ${projectId} and ${live(now)}
    and ${secrets.id} in (select value from json_each(${JSON.stringify(ids)}))) = ${ids.length}`
}

/** The events of a finished order: its own, and one for each generated entity. */
function eventsOf({ orderId, projectId, container, secrets: generated, issued }: OrderResult): AuditEvent[] {
  return [
    changeOf({ id: orderId, projectId }, 'update', 'order'),
    changeOf(container, 'create', 'container', container.mac),
    ...generated.map((secret) => changeOf(secret, 'create', 'secret', secret.mac)),
    ...(issued ? [changeOf({ id: issued.serial, projectId }, 'create', 'certificate')] : []),
  ]
}

/**
 * Ends an order in ACTIVE and saves its result, in one batch, if the order is still PENDING. So at most one of several
 * runs is saved, and none for a deleted order. Reports whether this one was.
 */
export async function saveResult(scope: Scope, result: OrderResult): Promise<boolean> {
  const { orderId, projectId, container, subStatus, subStatusMessage } = result
  const active = { status: 'ACTIVE', containerId: container.id, subStatus, subStatusMessage, updated: scope.now }
  const isStored = sql`exists (select 1 from ${orders}
    where ${orders.id} = ${orderId} and ${orders.containerId} = ${container.id})`
  const asRead = and(isPending(projectId, orderId), eq(orders.meta, result.meta), membersExist(result, scope.now))
  const update = build
    .update(orders)
    .set({ ...active, ...runColumnsCleared })
    .where(asRead)
  const { changed } = await commit(scope, eventsOf(result), change(update), {
    container: insertWhere(containers, container, isStored),
    secrets: result.secrets.map((secret) => insertWhere(secrets, secret, isStored)),
    members: result.members.map((member) => insertWhere(containerSecrets, member, isStored)),
    issued: result.issued ? [insertWhere(issuedCertificates, result.issued, isStored)] : [],
  })
  return changed > 0
}

/** Ends an order in ERROR and records the event, if the condition holds. */
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
    ...runColumnsCleared,
  }
  const event = { ...changeOf({ id, projectId }, 'update', 'order'), failure: code }
  await commit(scope, event, change(build.update(orders).set(failed).where(where)))
  return null
}

/** Ends an order in ERROR, if it is still PENDING and its `meta` is the one that the run read. */
export function saveError(scope: Scope, { orderId, projectId, meta, ...error }: OrderFailure): Promise<null> {
  return end(scope, orderId, projectId, error, and(isPending(projectId, orderId), eq(orders.meta, meta)))
}

/** Ends an order in ERROR after its last attempt has timed out. An order that was restarted since is left unchanged. */
export function failTimedOutOrder(scope: Scope, projectId: string, orderId: string, error: OrderError): Promise<null> {
  return end(scope, orderId, projectId, error, and(isPending(projectId, orderId), lte(orders.due, scope.now)))
}

/** An order that waits for its next attempt. */
export interface WaitingOrder {
  readonly id: string
  readonly creatorId: string
  readonly attempts: number
  readonly due: string
}

/** The project's orders that wait for an attempt, longest waiting first. */
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

/**
 * Claims an order for one more attempt, which has until `due`. Reports false if it has ended or another run
 * claimed it.
 */
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
 * Replaces the `meta` of a certificate order that is PENDING or in ERROR and restarts it. Reports false if the order is
 * ACTIVE or does not exist.
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
