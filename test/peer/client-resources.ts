/** Functions for the key manager's resources in the stock client, shared by several groups of steps. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { list, newFile, show, succeed, text, type Row, type Session } from './openstack.ts'

/** A reference from the key manager: an absolute URL that ends with the id. */
export const REF = /^https?:\/\/[^/]+(\/.*)?\/v1\/(secrets|orders|containers)\/[0-9a-f-]{36}$/

export const OCTETS = 'application/octet-stream'
const ORDER_SECONDS = 30

/** Creates a resource and returns its reference, which the client shows in the given column. */
export async function create(session: Session, column: string, ...args: readonly string[]): Promise<string> {
  const ref = text(await show(session, ...args, '--column', column), column)
  assert.match(ref, REF)
  return ref
}

/** The client's columns for the parts of a container, with the names of the parts in the API. */
const PART_COLUMNS = {
  'Public Key': 'public_key',
  'Private Key': 'private_key',
  'PK Passphrase': 'private_key_passphrase',
  Certificate: 'certificate',
  Intermediates: 'intermediates',
}

/** All columns but the time: Debian's client cannot print that as JSON ("Object of type datetime"). */
const CONTAINER_COLUMNS = [
  'Container href',
  'Name',
  'Status',
  'Type',
  'Secrets',
  'Consumers',
  ...Object.keys(PART_COLUMNS),
].flatMap((column) => ['--column', column])

export const showContainer = (session: Session, ref: string): Promise<Row> =>
  show(session, 'secret', 'container', 'get', ref, ...CONTAINER_COLUMNS)

/** Lists containers, of which there must be one: the client cannot select columns of an empty list. */
export const listContainers = (session: Session, ...args: readonly string[]): Promise<readonly Row[]> =>
  list(session, 'secret', 'container', 'list', ...args, ...CONTAINER_COLUMNS)

/**
 * Returns a container's references by name. The client has a column for each or, for a generic container, one for all.
 */
export function partsOf(container: Row): Readonly<Record<string, string>> {
  const generic = container.Secrets === undefined ? [] : text(container, 'Secrets').split('\n')
  return Object.fromEntries([
    ...generic.map((line) => line.split('=') as [string, string]),
    ...Object.entries(PART_COLUMNS)
      .filter(([column]) => typeof container[column] === 'string')
      .map(([column, part]) => [part, text(container, column)] as const),
  ])
}

/** Reads a payload through a file, because the client cannot print binary payloads. */
export async function payloadOf(session: Session, ref: string, contentType: string): Promise<Buffer> {
  const file = newFile(session)
  await succeed(session, 'secret', 'get', ref, '--file', file, '--payload_content_type', contentType)
  return readFile(file)
}

/** Waits until the order is no longer PENDING, as castellan does. */
export async function finishedOrder(session: Session, ref: string): Promise<Row> {
  const deadline = Date.now() + ORDER_SECONDS * 1000
  for (;;) {
    const order = await show(session, 'secret', 'order', 'get', ref)
    if (order.Status !== 'PENDING') return order
    assert.ok(Date.now() < deadline, `the order is PENDING after ${ORDER_SECONDS} s`)
    await sleep(500)
  }
}

/** Places an order and returns its reference. */
export const order = (session: Session, ...args: readonly string[]): Promise<string> =>
  create(session, 'Order href', 'secret', 'order', 'create', ...args)
