/**
 * The consumer mutations that run inside the object of the project that owns the entity: one guarded D1 batch each.
 * Consumers of secrets and of containers follow the same rules; what differs is in {@link kinds}.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { fault } from '../faults.ts'
import type { AuditAction, AuditEvent } from './audit-events.ts'
import { belowQuota } from './below-quota.ts'
import { commit, justChanged } from './commit.ts'
import { containerConsumers, containers, secretConsumers, secrets } from './schema.ts'
import { authenticContainer, findContainerBy, type Container, type ContainerRow } from './container-rows.ts'
import { authenticSecret, findSecretBy, type Secret, type SecretRow } from './secret-rows.ts'
import { changes, insertWhere } from './statements.ts'
import type { Store } from './store.ts'

export const kinds = {
  secret: {
    table: secretConsumers,
    counted: 'secretConsumers',
    owner: secretConsumers.secretId,
    entity: secrets,
    order: secretConsumers.seq,
    read: findSecretBy,
    authentic: authenticSecret<SecretRow>,
  },
  container: {
    table: containerConsumers,
    counted: 'containerConsumers',
    owner: containerConsumers.containerId,
    entity: containers,
    order: containerConsumers.name,
    read: findContainerBy,
    authentic: authenticContainer,
  },
} as const

/** What is thrown when the entity is not there. */
export const absent = { secret: 'secretNotFound', container: 'containerNotFound' } as const

export type ConsumerKind = keyof typeof kinds

/** What tells one consumer of an entity from another; the members are the columns of the kind's table. */
export interface Identities {
  readonly secret: { readonly service: string; readonly resourceType: string; readonly resourceId: string }
  readonly container: { readonly name: string; readonly url: string }
}

export interface Consumers {
  readonly secret: typeof secretConsumers.$inferSelect
  readonly container: typeof containerConsumers.$inferSelect
}

/** What has consumers. */
export interface Entities {
  readonly secret: Secret
  readonly container: Container
}

/** The row of an entity, read after the mutation. */
export interface EntityRows {
  readonly secret: SecretRow
  readonly container: ContainerRow
}

/** A registration as it travels to the project's object: plain data. */
export interface Registration {
  readonly kind: ConsumerKind
  readonly id: string
  readonly entityId: string
  readonly entityProjectId: string
  /** The caller's project: its quota counts the registration. */
  readonly projectId: string
  readonly identity: Identities[ConsumerKind]
}

function isRegistered({ kind, entityId, identity }: Registration): SQL {
  const { table, owner } = kinds[kind]
  const columns = table as unknown as Readonly<Record<string, typeof owner>>
  const same = Object.entries(identity).flatMap(([name, value]) => {
    const column = columns[name]
    return column ? [eq(column, value)] : []
  })
  return and(eq(owner, entityId), ...same) ?? sql`false`
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
  const { db, now } = store
  const { table, counted, entity, read } = kinds[kind]
  const allowed = belowQuota(store, counted, projectId)
  const isNew = sql`not exists (select 1 from ${table} where ${isRegistered(registration)})`
  const isThere = sql`exists (select 1 from ${entity} where ${entity.id} = ${entityId})`
  const owner = kind === 'secret' ? { secretId: entityId } : { containerId: entityId }
  const row = { ...owner, ...identity, id, projectId, created: now, updated: now }
  const [added, , [quota], [after]] = await commit(
    store,
    changeBy(registration, 'create'),
    insertWhere(store, table, row as never, sql`${allowed} and ${isNew} and ${isThere}`),
    db
      .update(entity)
      .set({ updated: now })
      .where(and(eq(entity.id, entityId), justChanged)),
    db.select({ reached: sql<number>`not ${allowed}` }).from(sql`(select 1)`),
    read(store, entityId),
  )
  if (changes(added) === 0 && quota?.reached === 1) throw fault('quotaReached')
  if (!after) throw fault(absent[kind])
  return after
}

/**
 * Takes a registration away and gives the entity's row. Runs in the project's object, as one batch. Throws
 * `consumerNotFound`, and `consumerForeign` when neither the entity nor the registration is of the caller's project.
 */
export async function removeConsumer(store: Store, registration: Registration): Promise<EntityRows[ConsumerKind]> {
  const { kind, entityId, entityProjectId, projectId } = registration
  const { table, read } = kinds[kind]
  const own = entityProjectId === projectId ? sql`true` : eq(table.projectId, projectId)
  const [removed, kept, [after]] = await commit(
    store,
    changeBy(registration, 'delete'),
    store.db.delete(table).where(and(isRegistered(registration), own)),
    store.db.select({ id: table.id }).from(table).where(isRegistered(registration)),
    read(store, entityId),
  )
  if (changes(removed) === 0) throw fault(kept.length > 0 ? 'consumerForeign' : 'consumerNotFound')
  if (!after) throw fault(absent[kind])
  return after
}
