/** Orders: requests to generate a key, a key pair or a certificate, and their status. */
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { Caller } from '../../caller.ts'
import { seal } from '../../crypto/envelope.ts'
import { symmetricKey, symmetricOutcome } from '../../crypto/generate.ts'
import { keyPairOutcome } from '../../crypto/key-pairs.ts'
import { fault } from '../../faults.ts'
import type { Backend } from '../backend.ts'
import { readPage, type ReadPage, type WantedPage } from '../database/pages.ts'
import { build, select } from '../database/prepared.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { sealingKey, underSealingKey } from '../keys/project-keys.ts'
import { passphrasePlace } from '../keys/sealed-values.ts'
import { sendToObject, type StoredOrder } from '../project-calls.ts'
import { countOf } from '../projects/counts.ts'
import { storeForNewSecrets } from '../projects/secret-stores.ts'
import { newRowId } from '../row-ids.ts'
import { orders } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'
import { sealedRow, type NewSecret } from '../secrets/secrets.ts'
import { progressOf, unfinished } from './order-schedule.ts'

export type Order = typeof orders.$inferSelect
type NewOrder = typeof orders.$inferInsert

/** What an order generates. `shown` is the `meta` in responses to GET. */
export interface GeneratedOrder {
  readonly name: string | null
  readonly algorithm: string
  /** A multiple of 8. */
  readonly bitLength: number
  readonly mode: string | null
  readonly expiration: string | null
  /** The content type of the generated secrets; null if they show none. */
  readonly contentType: string | null
  readonly shown: Readonly<Record<string, unknown>>
  /** How the key may be used. */
  readonly use: Required<Pick<NewSecret, 'extractable' | 'usages'>>
}

export interface KeyPairOrder extends GeneratedOrder {
  /** Encrypts the private key. Null if there is none, `unusable` for one that the API does not allow. */
  readonly passphrase: { readonly text: string } | 'unusable' | null
}

/** Errors with which an order ends at once, with Barbican's text where it has one. */
const orderErrors = {
  unknown: { code: '400', reason: 'Process TypeOrder issue seen - Secret generate supported plugin not found..' },
  kind: { code: '400', reason: 'Process TypeOrder issue seen - Requested algorithm is not supported.' },
  length: unfinished,
  passphrase: unfinished,
  withdrawn: {
    code: '400',
    reason: 'Process TypeOrder issue seen - DSA is not generated: FIPS 186-5 withdrew it for new signatures.',
  },
} as const

const NO_SUB_STATUS = 'Unknown'

/** The row of a new order that has not been started. */
function newOrder(
  backend: Backend,
  caller: Caller,
  type: string,
  shown: unknown,
  contentType: string | null = null,
): Promise<NewOrder> {
  return withMac(backend, 'orders', {
    id: newRowId(),
    projectId: caller.projectId,
    creatorId: caller.userId,
    requesterId: caller.userId,
    type,
    meta: JSON.stringify(shown),
    status: 'PENDING',
    created: backend.now,
    updated: backend.now,
    contentType,
  })
}

/** Whose rights count for what the order does: of who asked last, not of who placed it. */
export const requesterOf = ({ requesterId, creatorId }: Pick<Order, 'requesterId' | 'creatorId'>): string =>
  requesterId ?? creatorId

/** Sends a new order to the project's object; throws `quotaReached`. */
async function submit(backend: Backend, method: 'placeOrder' | 'acceptOrder', stored: StoredOrder): Promise<void> {
  await sendToObject(backend, stored.order.projectId, (object, context) => object[method](context, stored))
}

/** Saves an order that cannot be run, in ERROR: the request succeeds, and the order says why it failed. */
async function placeFailed(backend: Backend, order: NewOrder, outcome: keyof typeof orderErrors): Promise<string> {
  const { code, reason } = orderErrors[outcome]
  const failed = { ...order, status: 'ERROR', errorStatusCode: code, errorReason: reason }
  await submit(backend, 'placeOrder', { order: failed, secret: null })
  return order.id
}

/**
 * Places an order for a symmetric key and finishes it at once: order and secret are saved in one batch. If the key
 * cannot be generated, the order is saved in ERROR. Returns the order's id; throws `quotaReached`.
 */
export async function placeKeyOrder(backend: Backend, caller: Caller, wanted: GeneratedOrder): Promise<string> {
  const order = await newOrder(backend, caller, 'key', wanted.shown)
  const outcome = symmetricOutcome(wanted.algorithm, wanted.bitLength, wanted.mode)
  if (outcome !== 'generated') return placeFailed(backend, order, outcome)
  const { shown: _, use, ...described } = wanted
  const payload = symmetricKey(wanted.bitLength)
  const active = { ...order, status: 'ACTIVE', subStatus: NO_SUB_STATUS, subStatusMessage: NO_SUB_STATUS }
  await underSealingKey(backend, order.projectId, async () => {
    const secret = await sealedRow(backend, caller, {
      ...described,
      ...use,
      secretType: 'symmetric',
      payload,
      generated: true,
    })
    await submit(backend, 'placeOrder', { order: { ...active, secretId: secret.id }, secret })
  })
  payload.fill(0)
  return order.id
}

/**
 * Places an order for a key pair. The order is PENDING, and if `run` is true the caller must start its first attempt
 * with `runOrder`; if that attempt does not finish, the project's alarm runs the order again. `run` is false for an
 * order in ERROR.
 */
export async function placeKeyPairOrder(
  backend: Backend,
  caller: Caller,
  wanted: KeyPairOrder,
): Promise<{ id: string; run: boolean }> {
  const { shown, use, contentType } = wanted
  const { extractable, usages } = use
  const stored = { ...shown, ...(extractable === false && { extractable }), ...(usages && { usages }) }
  const order = await newOrder(backend, caller, 'asymmetric', stored, contentType)
  const known = keyPairOutcome(wanted.algorithm, wanted.bitLength)
  const outcome = known === 'generated' && wanted.passphrase === 'unusable' ? 'passphrase' : known
  if (outcome !== 'generated') return { id: await placeFailed(backend, order, outcome), run: false }
  const started = { ...order, attempts: 1, ...progressOf(1, backend.now) }
  await underSealingKey(backend, order.projectId, async () => {
    const accepted = { ...started, ...(await sealedPassphrase(backend, order, wanted)) }
    await submit(backend, 'acceptOrder', { order: accepted, secret: null })
  })
  return { id: order.id, run: true }
}

/** Places an order for a certificate. The caller must run it, as with {@link placeKeyPairOrder}. */
export async function placeCertificateOrder(backend: Backend, caller: Caller, meta: object): Promise<string> {
  const order = {
    ...(await newOrder(backend, caller, 'certificate', meta)),
    attempts: 1,
    ...progressOf(1, backend.now),
  }
  await submit(backend, 'acceptOrder', { order, secret: null })
  return order.id
}

/**
 * Gives a certificate order another `meta`, for whose run the caller's rights count from now on; the caller is to run
 * it. Throws `orderTypeFixed` for an order of another type, `orderNotPending` for one that is ACTIVE, and `quotaReached`.
 */
export async function updateCertificateOrder(
  backend: Backend,
  { userId }: Caller,
  order: Order,
  meta: object,
): Promise<void> {
  if (order.type !== 'certificate') throw fault('orderTypeFixed', order.type)
  const asked = { ...order, requesterId: userId, meta: JSON.stringify(meta) }
  const { meta: kept, mac } = await withMac(backend, 'orders', asked)
  const begun = { meta: kept, requesterId: userId, mac, ...progressOf(1, backend.now) }
  const { id, projectId } = order
  const restarted = await sendToObject(backend, projectId, (object, context) =>
    object.updateOrder(context, projectId, id, begun),
  )
  if (!restarted) throw fault('orderNotPending', 'ACTIVE')
}

async function sealedPassphrase(backend: Backend, order: NewOrder, { passphrase }: KeyPairOrder) {
  if (passphrase === null || passphrase === 'unusable') return {}
  const store = await storeForNewSecrets(backend, order.projectId)
  const key = await sealingKey(backend, order.projectId, store)
  const place = passphrasePlace(order.projectId, order.id)
  const sealed = await seal(key, place, new TextEncoder().encode(passphrase.text))
  return { store, keyVersion: key.version, sealed }
}

/** Finds an order of the project. Throws `orderNotFound`, also for an order of another project. */
export async function findOrder(scope: KeyedScope, projectId: string, id: string): Promise<Order> {
  const isOrder = and(eq(orders.id, id), eq(orders.projectId, projectId))
  const [row] = await scope.db.run(
    select(getTableColumns(orders), (columns) => build.select(columns).from(orders).where(isOrder)),
  )
  if (!row) throw fault('orderNotFound')
  return requireAuthentic(scope, 'orders', row)
}

/**
 * One page of the project's orders, oldest first, with the total. `filter.meta` selects orders whose meta contains it.
 * Throws `markerUnknown`.
 */
export async function listOrders(
  scope: KeyedScope,
  projectId: string,
  filter: { readonly meta: string },
  page: WantedPage,
): Promise<ReadPage<Order>> {
  const list = {
    table: orders,
    scope: eq(orders.projectId, projectId),
    filter: filter.meta ? sql`instr(${orders.meta}, ${filter.meta}) > 0` : undefined,
    count: countOf('orders', projectId, scope.now),
  }
  const read = await readPage(scope.db, list, page, ({ where, limit, offset }) =>
    select(getTableColumns(orders), (columns) =>
      build.select(columns).from(orders).where(where).orderBy(asc(orders.seq)).limit(limit).offset(offset),
    ),
  )
  return { ...read, items: await authentic(scope, 'orders', read.items) }
}

/** Deletes an order; the secret or container that it generated remains. Throws `orderNotFound`. */
export async function deleteOrder(backend: Backend, { id, projectId }: Order): Promise<void> {
  await sendToObject(backend, projectId, (object, context) => object.deleteOrder(context, projectId, id))
}
