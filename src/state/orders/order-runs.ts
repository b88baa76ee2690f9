/** Runs of orders. A run generates outside the project's object and sends it the finished result. */
import { and, eq, getTableColumns } from 'drizzle-orm'
import { open } from '../../crypto/envelope.ts'
import { generateKeyPair } from '../../crypto/key-pairs.ts'
import type { Backend } from '../backend.ts'
import { containerRows } from '../containers/containers.ts'
import { build, select } from '../database/prepared.ts'
import { authentic } from '../integrity/row-authentication.ts'
import { openKey, underSealingKey } from '../keys/project-keys.ts'
import { passphrasePlace } from '../keys/sealed-values.ts'
import { sendToObject, type OrderError, type OrderResult } from '../project-calls.ts'
import { orders, projectKeys } from '../schema/resources.ts'
import { byService, type Scope } from '../scope.ts'
import { sealedRow, type NewSecret, type SecretType } from '../secrets/secrets.ts'
import { possibleUsages, type Usage } from '../secrets/usages.ts'
import { certificateResult } from './certificate-orders.ts'
import { ORDER_RUN, unfinished } from './order-schedule.ts'
import { requesterOf, type Order } from './orders.ts'

/** The members of `meta` that describe the key pair. */
interface KeyPairMeta {
  readonly name: string | null
  readonly algorithm: string
  readonly bit_length: number
  readonly mode?: string
  readonly expiration: string | null
  readonly payload_content_type?: string | null
  /** Of the private key, if the order says so. */
  readonly extractable?: false
  readonly usages?: readonly Usage[]
}

interface WaitingRow {
  readonly order: Order
  /** The wrapped key that seals the order's passphrase; null if there is no passphrase. */
  readonly wrapped: Uint8Array | null
}

async function waitingOrder({ db }: Scope, projectId: string, id: string): Promise<WaitingRow | undefined> {
  const keyOfOrder = and(
    eq(projectKeys.projectId, orders.projectId),
    eq(projectKeys.store, orders.store),
    eq(projectKeys.version, orders.keyVersion),
  )
  const isWaiting = and(eq(orders.id, id), eq(orders.projectId, projectId), eq(orders.status, 'PENDING'))
  const [row] = await db.run(
    select({ ...getTableColumns(orders), wrapped: projectKeys.wrapped }, (columns) =>
      build.select(columns).from(orders).leftJoin(projectKeys, keyOfOrder).where(isWaiting),
    ),
  )
  if (!row) return undefined
  const { wrapped, ...order } = row
  return { order, wrapped }
}

async function passphraseOf(backend: Backend, { order, wrapped }: WaitingRow): Promise<string | null> {
  const { projectId: project, store, keyVersion: version, sealed } = order
  if (!sealed || !wrapped || store === null || version === null) return null
  const key = await openKey(backend, { project, store, version }, wrapped)
  return new TextDecoder().decode(await open(key, passphrasePlace(project, order.id), sealed))
}

async function keyPairResult(backend: Backend, row: WaitingRow): Promise<OrderResult> {
  const { order } = row
  const meta = JSON.parse(order.meta) as KeyPairMeta
  const passphrase = await passphraseOf(backend, row)
  const pair = await generateKeyPair(meta.algorithm, meta.bit_length, passphrase)
  const owner = { projectId: order.projectId, userId: requesterOf(order), roles: [] }
  const described = {
    name: meta.name,
    algorithm: meta.algorithm,
    mode: meta.mode ?? null,
    bitLength: meta.bit_length,
    expiration: meta.expiration,
    contentType: order.contentType,
  }
  const { extractable = null, usages = null } = meta
  const part = async (name: string, secretType: SecretType, payload: Uint8Array) => {
    const possible = possibleUsages({ secretType, algorithm: meta.algorithm })
    const secret: NewSecret = {
      ...described,
      secretType,
      payload,
      generated: secretType !== 'passphrase',
      // The public half can always be read.
      extractable: secretType === 'private' ? extractable : null,
      usages: possible.length > 0 && usages ? usages.filter((usage) => possible.includes(usage)) : null,
    }
    return { name, row: await sealedRow(backend, owner, secret) }
  }
  const parts = [
    await part('private_key', 'private', pair.privateKey),
    await part('public_key', 'public', pair.publicKey),
    ...(passphrase ? [await part('private_key_passphrase', 'passphrase', new TextEncoder().encode(passphrase))] : []),
  ]
  const members = parts.map(({ name, row: secret }) => ({ name, secretId: secret.id }))
  const created = await containerRows(backend, owner, { name: meta.name, type: pair.containerType, secrets: members })
  return {
    orderId: order.id,
    projectId: order.projectId,
    mac: order.mac,
    subStatus: 'Unknown',
    subStatusMessage: 'Unknown',
    ...created,
    secrets: parts.map(({ row: secret }) => secret),
  }
}

/** Runs a pending order. An order whose row is not authentic was not placed through the service and fails. */
async function resultOf(backend: Backend, row: WaitingRow): Promise<OrderResult | OrderError> {
  const [order] = await authentic(backend, 'orders', [row.order])
  if (!order) return unfinished
  return order.type === 'certificate' ? certificateResult(backend, order) : keyPairResult(backend, row)
}

/**
 * Runs a PENDING order and ends it with the result. Does nothing if the order has ended, was deleted or belongs to
 * another project. If the run throws or is interrupted, the project's alarm runs the order again.
 */
export function runOrder(backend: Backend, projectId: string, orderId: string): Promise<void> {
  return underSealingKey(backend, projectId, () => runOnce(backend, projectId, orderId))
}

async function runOnce(backend: Backend, projectId: string, orderId: string): Promise<void> {
  const row = await waitingOrder(backend, projectId, orderId)
  if (!row) return
  const source = { ...byService(ORDER_RUN, requesterOf(row.order)), requestId: backend.source.requestId }
  const result = await resultOf(backend, row)
  await sendToObject<unknown>({ ...backend, source }, projectId, (object, context) =>
    'reason' in result
      ? object.failOrder(context, { orderId, projectId, mac: row.order.mac, ...result })
      : object.finishOrder(context, result),
  )
}
