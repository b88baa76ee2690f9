/**
 * The consumer mutations that run inside the object of the project that owns the entity: one guarded D1 batch each.
 * Consumers of secrets and of containers follow the same rules; what differs is in {@link kinds}.
 */
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import type { AuditAction, AuditEvent } from '../audit/events.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import { findContainerBy } from '../containers/container-rows.ts'
import { changes, justChanged, writtenInsert } from '../database/statements.ts'
import type { Store } from '../scope.ts'
import { writtenChange, writtenSelect, type Values } from '../database/written.ts'
import { absent, type ConsumerKind, type EntityRows, type Registration } from '../consumer-rows.ts'
import type { CountedKind } from '../projects/counts.ts'
import { containerConsumers, containers, secretConsumers, secrets } from '../schema/resources.ts'
import { findSecretBy } from '../secrets/secret-rows.ts'

const given = sql.placeholder

/** The statements of a kind; `same` are the columns that tell its consumers apart. */
function statementsOf<Table extends typeof secretConsumers | typeof containerConsumers>(
  table: Table,
  counted: CountedKind,
  owner: SQLiteColumn,
  entity: typeof secrets | typeof containers,
  same: readonly SQLiteColumn[],
) {
  const isThere = sql`exists (select 1 from ${entity} where ${entity.id} = ${given('entity')})`
  const isRegistered = and(eq(owner, given('entity')), ...same.map((column) => eq(column, given(column.name))))
  const isNew = sql`not exists (select 1 from ${table} where ${isRegistered})`
  const ofCaller = sql`(${given('entity project')} = ${given('project')} or ${table.projectId} = ${given('project')})`
  const full = { reached: sql<number>`not ${belowQuota[counted]}`.as('reached') }
  const id = { id: table.id }
  return {
    insert: writtenInsert(table, sql`${belowQuota[counted]} and ${isNew} and ${isThere}`),
    touch: writtenChange((db) =>
      db
        .update(entity)
        .set({ updated: sql`${given('now')}` })
        .where(and(eq(entity.id, given('entity')), justChanged)),
    ),
    full: writtenSelect(full, (db, columns) => db.select(columns).from(sql`(select 1)`)),
    remove: writtenChange((db) => db.delete(table).where(and(isRegistered, ofCaller))),
    registered: writtenSelect(id, (db, columns) => db.select(columns).from(table).where(isRegistered)),
  }
}

const { service, resourceType, resourceId } = secretConsumers
const { name, url } = containerConsumers

const kinds = {
  secret: {
    table: secretConsumers,
    counted: 'secretConsumers',
    readChanged: (store: Store, id: string) => findSecretBy(store, id, true),
    ...statementsOf(secretConsumers, 'secretConsumers', secretConsumers.secretId, secrets, [
      service,
      resourceType,
      resourceId,
    ]),
  },
  container: {
    table: containerConsumers,
    counted: 'containerConsumers',
    readChanged: findContainerBy,
    ...statementsOf(containerConsumers, 'containerConsumers', containerConsumers.containerId, containers, [name, url]),
  },
} as const

/** The values of a kind's statements. */
function valuesOf({ now }: Store, { kind, entityId, entityProjectId, projectId, identity }: Registration): Values {
  const columns = getTableColumns<typeof secretConsumers | typeof containerConsumers>(kinds[kind].table)
  const same = Object.entries(identity).map(([name, value]) => [columns[name as keyof typeof columns].name, value])
  return { ...Object.fromEntries(same), entity: entityId, 'entity project': entityProjectId, project: projectId, now }
}

function changeBy({ kind, entityId, entityProjectId }: Registration, action: AuditAction): AuditEvent {
  return { action, target: `${kind}/consumer`, id: entityId, projectId: entityProjectId }
}

/**
 * Registers a consumer and gives the entity's row; a consumer that is there stays as it is. Runs in the project's
 * object, as one batch. Throws `quotaReached`, also for a consumer that is there (the peer asks the quota first).
 */
export async function storeConsumer(store: Store, registration: Registration): Promise<EntityRows[ConsumerKind]> {
  const { kind, id, entityId, projectId, identity } = registration
  const { counted, insert, touch, full, readChanged } = kinds[kind]
  const owner = kind === 'secret' ? { secretId: entityId } : { containerId: entityId }
  const row = { ...owner, ...identity, id, projectId, created: store.now, updated: store.now }
  const values = { ...valuesOf(store, registration), ...quotaValues(store, counted, projectId) }
  const [added, , [quota], [after]] = await commit(
    store,
    changeBy(registration, 'create'),
    insert(store, row as never, values),
    touch(store, values),
    full.inBatch(store, values),
    readChanged(store, entityId),
  )
  if (changes(added) === 0 && quota?.reached === 1) throw await refusalOf(store, projectId)
  if (!after) throw fault(absent[kind])
  return after
}

/**
 * Takes a registration away and gives the entity's row. Runs in the project's object, as one batch. Throws
 * `consumerNotFound`, and `consumerForeign` when neither the entity nor the registration is of the caller's project.
 */
export async function removeConsumer(store: Store, registration: Registration): Promise<EntityRows[ConsumerKind]> {
  const { kind, entityId } = registration
  const { remove, registered, readChanged } = kinds[kind]
  const values = valuesOf(store, registration)
  const [removed, kept, [after]] = await commit(
    store,
    changeBy(registration, 'delete'),
    remove(store, values),
    registered.inBatch(store, values),
    readChanged(store, entityId),
  )
  if (changes(removed) === 0) throw fault(kept.length > 0 ? 'consumerForeign' : 'consumerNotFound')
  if (!after) throw fault(absent[kind])
  return after
}
