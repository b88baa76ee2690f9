/** What the stock client shows of the key manager's resources, as far as several groups of steps need it. */
import assert from 'node:assert/strict'
import { list, show, text, type Row, type Session } from './openstack.ts'

/** A reference as the key manager gives them out: absolute, and the id last. */
export const REF = /^https?:\/\/[^/]+(\/.*)?\/v1\/(secrets|orders|containers)\/[0-9a-f-]{36}$/

/** Creates a resource and returns its reference, which the client shows in the given column. */
export async function create(session: Session, column: string, ...args: readonly string[]): Promise<string> {
  const ref = text(await show(session, ...args, '--column', column), column)
  assert.match(ref, REF)
  return ref
}

/** The columns of the client that hold a part of a container, with the name of the part in the API. */
const PART_COLUMNS = {
  'Public Key': 'public_key',
  'Private Key': 'private_key',
  'PK Passphrase': 'private_key_passphrase',
  Certificate: 'certificate',
  Intermediates: 'intermediates',
}

/** Debian's client cannot print a container's time as JSON ("Object of type datetime"), hence all columns but it. */
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

/** The client refuses to choose columns of an empty list; use it where a container is expected. */
export const listContainers = (session: Session, ...args: readonly string[]): Promise<readonly Row[]> =>
  list(session, 'secret', 'container', 'list', ...args, ...CONTAINER_COLUMNS)

/** The references of a container under their names: one column each, or one for all of a generic container. */
export function partsOf(container: Row): Readonly<Record<string, string>> {
  const generic = container.Secrets === undefined ? [] : text(container, 'Secrets').split('\n')
  return Object.fromEntries([
    ...generic.map((line) => line.split('=') as [string, string]),
    ...Object.entries(PART_COLUMNS)
      .filter(([column]) => typeof container[column] === 'string')
      .map(([column, part]) => [part, text(container, column)] as const),
  ])
}
