/** The resources `/orders` and `/orders/{id}`. */
import * as z from 'zod/mini'
import type { Target } from '../access/policy.ts'
import { passphraseFits } from '../crypto/key-pairs.ts'
import { fault } from '../faults.ts'
import { runOrder } from '../state/orders/order-runs.ts'
import {
  deleteOrder,
  findOrder,
  listOrders,
  placeCertificateOrder,
  placeKeyOrder,
  placeKeyPairOrder,
  updateCertificateOrder,
  type GeneratedOrder,
  type KeyPairOrder,
  type Order,
} from '../state/orders/orders.ts'
import type { Shapes } from '../shapes/index.ts'
import { listEnd, located } from './http/answers.ts'
import { json } from './http/body.ts'
import { certificateFaults, checkedCertificateMeta, shownCertificateMeta } from './certificate-orders.ts'
import { logUnexpected } from './http/failures.ts'
import { markedQuery } from './http/paging.ts'
import { payloadTypes } from './payload.ts'
import { given } from './http/query.ts'
import { NO_CONTENT } from './http/replies.ts'
import type { Refs } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { anyObject, checked, object, schemaFault, text } from './http/schema.ts'
import { checkedUse, useMembers } from './key-use-members.ts'
import { checkOrderedPayload, expirationOf, secretBody, type SecretBody } from './secret-body.ts'

const SCHEMA = 'Order'
const META_SCHEMA = "Secret' within 'Order"
/** How long a response waits for the run of its order, so that most orders are ACTIVE at the client's first read. */
const RUN_WAIT_MILLISECONDS = 1_000

const orderTypes = ['key', 'asymmetric', 'certificate'] as const
const orderBody = {
  name: SCHEMA,
  type: z.lazy(() => object({ meta: anyObject(), type: text({ oneOf: orderTypes }), ...useMembers() })),
  missingNames: 'member',
} as const
type OrderBody = z.infer<typeof orderBody.type>
type GeneratedBody = OrderBody & { readonly type: keyof typeof labels }

/** Names of the order types in Barbican's messages. */
const labels = { key: 'key', asymmetric: 'asymmetric key' } as const

/**
 * Members of `meta` that are stored and returned; python-barbicanclient fails on any other. It excludes the passphrase.
 */
const shownMembers = ['name', 'algorithm', 'bit_length', 'mode', 'payload_content_type', 'expiration'] as const

/** Returns `meta` as `GET` returns it: `name` and `expiration` are always present. */
function shownMeta(meta: SecretBody, expiration: string | null): Record<string, unknown> {
  const present = Object.entries(meta).filter(([member]) => (shownMembers as readonly string[]).includes(member))
  return { ...Object.fromEntries(present), name: meta.name ?? null, expiration }
}

/** Members of the stored `meta` about the use of the key. The request has them beside `meta`, and no answer has them. */
const useMemberNames = new Set(['extractable', 'usages'])

/** Returns the stored `meta` of an order as clients see it. */
const shownKeyMeta = (meta: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(meta).filter(([member]) => !useMemberNames.has(member)))

/** Validates the body of an order for generated keys. Throws the first violation in the order of the API contract. */
function generatedOrder(body: GeneratedBody, now: string): GeneratedOrder {
  const meta = checked({ name: META_SCHEMA, type: secretBody }, body.meta)
  const expiration = expirationOf(meta, META_SCHEMA, now)
  checkOrderedPayload(meta, META_SCHEMA)
  const refuse = (reason: string) => schemaFault(SCHEMA, reason, 'meta')
  const label = labels[body.type]
  if (meta.payload !== undefined) throw refuse(`'payload' not allowed for ${body.type} type order`)
  if (!meta.algorithm) throw refuse(`'algorithm' is required field for ${label} type order`)
  if (meta.bit_length === undefined) throw refuse(`'bit_length' is required field for ${label} type order`)
  if (meta.bit_length % 8 !== 0) throw fault('fieldValue')
  const secretType = body.type === 'key' ? 'symmetric' : 'private'
  const use = checkedUse(body, { secretType, algorithm: meta.algorithm }, SCHEMA)
  const contentType = meta.payload_content_type ?? 'application/octet-stream'
  return {
    name: meta.name ?? null,
    algorithm: meta.algorithm,
    bitLength: meta.bit_length,
    mode: meta.mode ?? null,
    expiration,
    contentType: Object.hasOwn(payloadTypes, contentType) ? contentType : null,
    shown: shownMeta(meta, expiration),
    use,
  }
}

/**
 * Returns the passphrase of a key pair; an empty one counts as absent. As in Barbican, the order ends in ERROR if the
 * passphrase is not a string or is too long, which is `unusable` here.
 */
function passphraseOf(value: unknown): KeyPairOrder['passphrase'] {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string' || !passphraseFits(value)) return 'unusable'
  return { text: value }
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/**
 * Runs an accepted order and waits up to {@link RUN_WAIT_MILLISECONDS} for it; the run continues after the response. If
 * it fails, the alarm of the project's Durable Object retries it.
 */
async function runNow({ c, backend, caller }: Call, orderId: string): Promise<void> {
  const run = runOrder(backend, caller.projectId, orderId).catch((error: unknown) => logUnexpected(c, error))
  c.executionCtx.waitUntil(run)
  await Promise.race([run, pause(RUN_WAIT_MILLISECONDS)])
}

/** Places the order that a body describes, runs it if necessary, and returns its id. */
async function place(call: Call, body: OrderBody): Promise<string> {
  const { backend, caller } = call
  const { type, meta } = body
  if (type === 'certificate') {
    const isGiven = body.extractable === false || body.usages !== undefined
    if (isGiven) throw schemaFault(SCHEMA, "'extractable' and 'usages' not allowed for certificate type order", 'type')
    const accepted = await placeCertificateOrder(backend, caller, await checkedCertificateMeta(meta))
    await runNow(call, accepted)
    return accepted
  }
  const order = generatedOrder({ ...body, type }, backend.now)
  if (type === 'key') return placeKeyOrder(backend, caller, order)
  const passphrase = passphraseOf(meta['passphrase'])
  if (passphrase && order.use.extractable === false)
    throw schemaFault(SCHEMA, 'a key that cannot be read cannot be used with a passphrase', 'extractable')
  const { id, run } = await placeKeyPairOrder(backend, caller, { ...order, passphrase })
  if (run) await runNow(call, id)
  return id
}

/** Returns the representation of an order. Members that do not apply are absent, not null. */
function orderView(order: Order, refs: Refs): Shapes['Order'] {
  const begin = { created: order.created, updated: order.updated, status: order.status }
  const end = {
    ...(order.errorStatusCode && { error_status_code: order.errorStatusCode, error_reason: order.errorReason }),
    ...(order.subStatus && { sub_status: order.subStatus, sub_status_message: order.subStatusMessage }),
    creator_id: order.creatorId,
    ...(order.secretId && { secret_ref: refs.to('secrets', order.secretId) }),
    order_ref: refs.to('orders', order.id),
    ...(order.containerId && { container_ref: refs.to('containers', order.containerId) }),
  }
  const meta = JSON.parse(order.meta) as Readonly<Record<string, string>>
  if (order.type === 'certificate') return { ...begin, type: order.type, meta: shownCertificateMeta(meta), ...end }
  return { ...begin, type: order.type === 'key' ? 'key' : 'asymmetric', meta: shownKeyMeta(meta), ...end }
}

const newOrderBody = json(orderBody)

/** The body of an update, which replaces `meta` of a certificate order; the type cannot be changed. */
const changedBody = { name: SCHEMA, type: z.lazy(() => object({ meta: anyObject() })), missingNames: 'member' } as const
const changedOrderBody = json(changedBody)

const collection = resource({
  path: '/orders',
  operations: {
    GET: operation({
      name: 'Order(s) retrieval',
      rule: 'orders:get',
      query: { meta: given, ...markedQuery },
      answers: { 200: 'Orders' },
      faults: ['markerUnknown'],
      async answer(call) {
        const { backend, caller, query, refs } = call
        const read = await listOrders(backend, caller.projectId, { meta: query.meta ?? '' }, query)
        const orders = read.items.map((order) => orderView(order, refs))
        return { status: 200, json: { orders, ...listEnd(call, 'orders', read) } }
      },
    }),
    POST: operation({
      name: 'Order creation',
      rule: 'orders:post',
      body: newOrderBody,
      answers: { 202: 'OrderRef' },
      faults: ['fieldValue', 'quotaReached', 'projectDestroyed', ...certificateFaults],
      async answer(call, _project, body) {
        const id = await place(call, body)
        return { status: 202, json: { order_ref: located(call.c, call.refs.to('orders', id)) } }
      },
    }),
    PUT: operation({
      name: 'Order update',
      rule: 'orders:put',
      answers: {},
      faults: ['orderUpdate'],
      answer() {
        throw fault('orderUpdate')
      },
    }),
  },
})

type OrderTarget = Target & { readonly order: Order }

async function orderOfPath({ backend, caller, param }: Call): Promise<OrderTarget> {
  const order = await findOrder(backend, caller.projectId, param('order'))
  return { projectId: order.projectId, creatorId: order.creatorId, private: false, readers: [], order }
}

const item = resource<OrderTarget>({
  path: '/orders/:order',
  find: orderOfPath,
  faults: ['orderNotFound'],
  operations: {
    GET: operation({
      name: 'Order retrieval',
      rule: 'order:get',
      answers: { 200: 'Order' },
      faults: [],
      answer: ({ refs }, { order }) => ({ status: 200, json: orderView(order, refs) }),
    }),
    PUT: operation({
      name: 'Order update',
      // Its run has the rights of who asked last: nobody sends an order of somebody else for more than the own rights.
      rule: 'order:put',
      body: changedOrderBody,
      answers: { 204: null },
      faults: ['orderTypeFixed', 'orderNotPending', 'quotaReached', 'projectDestroyed', ...certificateFaults],
      async answer(call, { order }, { meta }) {
        if (order.type !== 'certificate') throw fault('orderTypeFixed', order.type)
        await updateCertificateOrder(call.backend, call.caller, order, await checkedCertificateMeta(meta))
        await runNow(call, order.id)
        return NO_CONTENT
      },
    }),
    DELETE: operation({
      name: 'Order deletion',
      rule: 'order:delete',
      accept: 'known',
      answers: { 204: null },
      faults: [],
      async answer({ backend }, { order }) {
        await deleteOrder(backend, order)
        return NO_CONTENT
      },
    }),
  },
})

export const orderResources = [collection, item]
