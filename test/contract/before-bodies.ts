/**
 * What is refused before the form of a body is looked at. A body that the schema does not admit is 400, and nothing else
 * but these failures of these operations.
 */
import { base, type Answer } from '../support/client.ts'
import { violationOf } from '../support/contract.ts'
import { ABSENT, isAdmitted, type Served } from './operations.ts'

interface Gate {
  readonly reason: string
  readonly failure: string
  /** What the path names, so that it is refused. */
  readonly named: Readonly<Record<string, string>>
  /** The operations that are refused so. */
  readonly of: RegExp
  /** Whether it is before the items of a batch alone. */
  readonly ofBatches?: true
}

export const beforeBodies: readonly Gate[] = [
  { reason: 'no secret has this id', failure: 'secretId', named: { secret: 'x' }, of: /^\/v1\/.*\{secret\}/ },
  { reason: 'no secret', failure: 'secretNotFound', named: { secret: ABSENT }, of: /^\/v1\/.*\{secret\}/ },
  { reason: 'no version', failure: 'versionNotFound', named: { version: '7' }, of: /^\/v1\/.*\{version\}/ },
  {
    reason: 'no container has this id',
    failure: 'containerId',
    named: { container: 'x' },
    of: /^\/v1\/.*\{container\}/,
  },
  { reason: 'no container', failure: 'containerNotFound', named: { container: ABSENT }, of: /^\/v1\/.*\{container\}/ },
  { reason: 'no order', failure: 'orderNotFound', named: { order: ABSENT }, of: /^\/v1\/.*\{order\}/ },
  {
    reason: 'it is not the own user',
    failure: 'identity.notPermitted',
    named: { user: ABSENT },
    of: /^\/identity\/v3\/users\/\{user\}\//,
  },
  {
    reason: 'the key may not do it, whatever the items of the batch are',
    failure: 'keyUsage',
    named: {},
    of: /\/(sign|verify|mac)$/,
    ofBatches: true,
  },
]

/** Items of a batch that one request may have. */
const MOST_ITEMS = 100

/** The items of a document that is a batch of whatever; none if it is no batch. */
function itemsOf({ path }: Served, document: unknown): readonly unknown[] {
  const isUse = /\/(encrypt|decrypt|rewrap|datakey|sign|verify|mac)$/.test(path)
  if (!isUse || typeof document !== 'object' || document === null) return []
  const { batch, ...others } = document as { readonly batch?: unknown }
  const isBatch = Array.isArray(batch) && batch.length <= MOST_ITEMS && Object.keys(others).length === 0
  return isBatch ? batch : []
}

/** The failures of the contract that an answer may be. */
export function failuresIn(method: string, path: string, answer: Answer): string[] {
  const found = new Set<string>()
  violationOf(method, base + path, answer, found)
  return [...found].map((named) => named.slice(named.indexOf(' ') + 1))
}

/** Whether a batch is answered with 400 for each item that the schema does not admit. */
function refusesItems(operation: Served, items: readonly unknown[], { status, json }: Answer): boolean {
  if (status !== 200 || items.length === 0) return false
  const refused = items.flatMap((item, at) => (isAdmitted(operation, item) === false ? [at] : []))
  return refused.every((at) => json.results[at].error?.code === 400)
}

/** Whether a body that the schema does not admit is refused as it must be; `path` is that of the request. */
export function isRefused(operation: Served, path: string, document: unknown, answer: Answer): boolean {
  const items = itemsOf(operation, document)
  if (answer.status === 400 || refusesItems(operation, items, answer)) return true
  const found = failuresIn(operation.method, path, answer)
  return beforeBodies.some(
    ({ failure, of, ofBatches = false }) =>
      of.test(operation.path) && (!ofBatches || items.length > 0) && found.includes(failure),
  )
}
