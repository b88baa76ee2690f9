/**
 * Consumer mutations. They run in the Durable Object of the project that owns the entity, each as one D1 batch whose
 * statements check the preconditions.
 */
import { and, eq, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, type AuditEvent } from '../audit/events.ts'
import { containerColumns, isContainer } from '../containers/container-rows.ts'
import { build, preparedChange, preparedSelect, type Statement, type Values } from '../database/prepared.ts'
import { justChanged, preparedInsert, unlessChanged } from '../database/statements.ts'
import type { ContainerRow, Registration, SecretRow } from '../entities.ts'
import type { CountedKind } from '../projects/counts.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import { containerConsumers, containers, secretConsumers, secrets } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'
import { foundColumns, isLiveSecret } from '../secrets/secret-rows.ts'

const placeholder = sql.placeholder

/**
 * Prepares the statements for the consumers in `table`. `owner` is the column that holds the entity's id. `identity`
 * maps placeholder names to the columns that identify a consumer of the entity.
 */
function statementsOf<Table extends typeof secretConsumers | typeof containerConsumers>(
  table: Table,
  counted: CountedKind,
  owner: SQLiteColumn,
  entity: typeof secrets | typeof containers,
  identity: Readonly<Record<string, SQLiteColumn>>,
) {
  const exists = sql`exists (select 1 from ${entity} where ${entity.id} = ${placeholder('entity')}
    and ${entity.mac} = ${placeholder('entity mac')})`
  const same = Object.entries(identity).map(([name, column]) => eq(column, placeholder(name)))
  const isRegistered = and(eq(owner, placeholder('entity')), ...same)
  const isNew = sql`not exists (select 1 from ${table} where ${isRegistered})`
  const ofCaller = sql`(${placeholder('entity project')} = ${placeholder('project')} or ${table.projectId} = ${placeholder('project')})`
  return {
    insert: preparedInsert(table, sql`${belowQuota[counted]} and ${isNew} and ${exists}`),
    touch: preparedChange(() =>
      build
        .update(entity)
        .set({ updated: sql`${placeholder('now')}` })
        .where(and(eq(entity.id, placeholder('entity')), justChanged)),
    ),
    remove: preparedChange(() => build.delete(table).where(and(isRegistered, ofCaller, exists))),
    /** Columns of the select of the entity: why the mutation changed nothing. */
    refusal: {
      full: unlessChanged(sql<number>`not ${belowQuota[counted]}`),
      registered: sql<number>`exists (select 1 from ${table} where ${isRegistered})`,
    },
  }
}

const { service, resourceType, resourceId } = secretConsumers
const { name, url } = containerConsumers

const ofSecrets = statementsOf(secretConsumers, 'secretConsumers', secretConsumers.secretId, secrets, {
  service,
  resourceType,
  resourceId,
})
const ofContainers = statementsOf(
  containerConsumers,
  'containerConsumers',
  containerConsumers.containerId,
  containers,
  { name, url },
)

const secretAfter = preparedSelect({ ...foundColumns, ...ofSecrets.refusal }, (columns) =>
  build.select(columns).from(secrets).where(isLiveSecret),
)
const containerAfter = preparedSelect({ ...containerColumns(placeholder('now')), ...ofContainers.refusal }, (columns) =>
  build.select(columns).from(containers).where(isContainer),
)

/** Why a mutation changed nothing. */
interface Refusal {
  /** Null if it changed something, or if that is not known because it was looked for after a lost answer. */
  readonly full: number | null
  readonly registered: number
}

/** A consumer mutation with its statements, in the form that both kinds of entity share. */
interface Mutation<Row extends { readonly mac: string }> {
  readonly statements: Pick<typeof ofSecrets, 'touch' | 'remove'>
  readonly insert: Statement<number>
  readonly registration: Registration
  readonly values: Values
  readonly kind: 'secret' | 'container'
  /** Reads the entity after the mutation. */
  readonly after: Statement<(Row & Refusal)[]>
}

const entityOf = ({ entityId: id, entityProjectId: projectId }: Registration) => ({ id, projectId })

const valuesOf = ({ now }: Scope, given: Registration): Values => ({
  ...given.identity,
  entity: given.entityId,
  'entity mac': given.entityMac,
  'entity project': given.entityProjectId,
  project: given.projectId,
  now,
})

const absent = { secret: 'secretNotFound', container: 'containerNotFound' } as const

/** Whether nothing was changed because the entity's row is another one than that which the caller's rule was asked of. */
const isStale = ({ entityMac }: Registration, changed: number, row: { readonly mac: string } | undefined): boolean =>
  changed === 0 && row !== undefined && row.mac !== entityMac

/**
 * Registers a consumer and returns the entity's row, or null over a stale one. A consumer that is already registered is left
 * unchanged. Throws `quotaReached` or `projectDestroyed` even then: Barbican checks the quota first.
 */
async function add<Row extends { readonly mac: string }>(scope: Scope, mutation: Mutation<Row>): Promise<Row | null> {
  const { statements, insert, registration, values, kind, after } = mutation
  const event: AuditEvent = changeOf(entityOf(registration), 'create', `${kind}/consumer`)
  const { changed, after: rows } = await commit(scope, event, insert, { touched: statements.touch(values), after })
  const [row] = rows
  if (!row) throw fault(absent[kind])
  if (isStale(registration, changed, row)) return null
  if (changed === 0 && row.full === 1) throw await refusalOf(scope, registration.projectId)
  // After a lost answer it may be unknown why nothing was stored: it is made again, as over a stale row.
  return changed > 0 || row.registered === 1 ? row : null
}

/**
 * Removes a registration and returns the entity's row, or null over a stale one. Throws `consumerNotFound`, and
 * `consumerForeign` if neither the entity nor the registration belongs to the caller's project.
 */
async function remove<Row extends { readonly mac: string }>(
  scope: Scope,
  mutation: Mutation<Row>,
): Promise<Row | null> {
  const { statements, registration, values, kind, after } = mutation
  const event: AuditEvent = changeOf(entityOf(registration), 'delete', `${kind}/consumer`)
  const { changed, after: rows } = await commit(scope, event, statements.remove(values), { after })
  const [row] = rows
  if (isStale(registration, changed, row)) return null
  if (changed === 0) throw fault(row?.registered === 1 ? 'consumerForeign' : 'consumerNotFound')
  if (!row) throw fault(absent[kind])
  return row
}

const mutations = { add, delete: remove } as const
export type ConsumerChange = keyof typeof mutations

/** Registers or removes a consumer of a secret; returns the secret's row after the change, or null over a stale one. */
export function changeSecretConsumer(
  scope: Scope,
  change: ConsumerChange,
  registration: Registration<'secret'>,
): Promise<SecretRow | null> {
  const { id, entityId: secretId, projectId, identity } = registration
  const row = { secretId, ...identity, id, projectId, created: scope.now, updated: scope.now }
  const values = { ...valuesOf(scope, registration), ...quotaValues(scope, projectId) }
  return mutations[change](scope, {
    kind: 'secret',
    statements: ofSecrets,
    insert: ofSecrets.insert(row, values),
    registration,
    values,
    after: secretAfter({ ...values, id: secretId, withConsumers: true }),
  })
}

/** Registers or removes a consumer of a container; returns its row after the change, or null over a stale one. */
export function changeContainerConsumer(
  scope: Scope,
  change: ConsumerChange,
  registration: Registration<'container'>,
): Promise<ContainerRow | null> {
  const { id, entityId: containerId, projectId, identity } = registration
  const row = { containerId, ...identity, id, projectId, created: scope.now, updated: scope.now }
  const values = { ...valuesOf(scope, registration), ...quotaValues(scope, projectId) }
  return mutations[change](scope, {
    kind: 'container',
    statements: ofContainers,
    insert: ofContainers.insert(row, values),
    registration,
    values,
    after: containerAfter({ ...values, id: containerId }),
  })
}
