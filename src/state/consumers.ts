/** Consumers: who uses a secret or a container. */
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Caller } from '../caller.ts'
import { fault } from '../faults.ts'
import type { Guarded } from './acl-columns.ts'
import type { Backend } from './backend.ts'
import {
  absent,
  type ConsumerKind,
  type Consumers,
  type Entities,
  type EntityRows,
  type Identities,
  type Registration,
} from './consumer-rows.ts'
import { authenticContainer, findContainerBy } from './containers/container-rows.ts'
import { mutationContext, unwrap } from './project-calls.ts'
import { containerConsumers, secretConsumers } from './schema/resources.ts'
import type { Store } from './scope.ts'
import { authenticSecret, findSecretBy, type SecretRow } from './secrets/secret-rows.ts'

/** How an entity and its consumers are read. */
const kinds = {
  secret: {
    table: secretConsumers,
    owner: secretConsumers.secretId,
    order: secretConsumers.seq,
    read: (store: Store, id: string) => findSecretBy(store, id, false),
    authentic: authenticSecret<SecretRow>,
  },
  container: {
    table: containerConsumers,
    owner: containerConsumers.containerId,
    order: containerConsumers.name,
    read: findContainerBy,
    authentic: authenticContainer,
  },
} as const

type Entity = Guarded & { readonly id: string }

function registrationOf<Kind extends ConsumerKind>(
  kind: Kind,
  entity: Entity,
  caller: Caller,
  identity: Identities[Kind],
): Registration {
  const id = crypto.randomUUID()
  return { kind, id, entityId: entity.id, entityProjectId: entity.projectId, projectId: caller.projectId, identity }
}

/** A mutation in the object of the entity's project; gives the entity as it is then. */
function mutation(method: 'addConsumer' | 'deleteConsumer') {
  return async <Kind extends ConsumerKind>(
    backend: Backend,
    kind: Kind,
    entity: Entity,
    caller: Caller,
    identity: Identities[Kind],
  ): Promise<EntityRows[Kind]> => {
    const project = backend.projects.getByName(entity.projectId)
    const registration = registrationOf(kind, entity, caller, identity)
    const call = project[method](mutationContext(backend), registration)
    return (await unwrap(backend.session, call)) as EntityRows[Kind]
  }
}

/** Registers the caller's consumer of the entity; see `storeConsumer`. */
export const addConsumer = mutation('addConsumer')

/** Takes a consumer of the entity away; see `removeConsumer`. */
export const deleteConsumer = mutation('deleteConsumer')

/** A row of a batch as the entity that it is; throws that it is not there, or `RowRefused`. */
function entityOf(
  backend: Backend,
  kind: ConsumerKind,
  row: EntityRows[ConsumerKind] | undefined,
): Promise<Entities[ConsumerKind]> {
  if (!row) throw fault(absent[kind])
  return kinds[kind].authentic(backend, row as never)
}

export interface ConsumersPage<Kind extends ConsumerKind> {
  readonly items: readonly Consumers[Kind][]
  readonly total: number
}

/**
 * The entity with one page of its consumers, of a secret oldest first, of a container by name: one round trip. Throws
 * `secretNotFound` or `containerNotFound`.
 */
export async function findWithConsumers<Kind extends ConsumerKind>(
  backend: Backend,
  kind: Kind,
  id: string,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly entity: Entities[Kind]; readonly listed: ConsumersPage<Kind> }> {
  const { table, owner, order, read } = kinds[kind]
  const ofEntity = eq(owner, id)
  const [[row], items, [counted]] = await backend.db.batch([
    read(backend, id),
    backend.db
      .select()
      .from(table)
      .where(ofEntity)
      .orderBy(asc(order), asc(table.seq))
      .limit(page.limit)
      .offset(page.offset),
    backend.db
      .select({ total: sql<number>`count(*)` })
      .from(table)
      .where(ofEntity),
  ])
  const listed = { items: items as Consumers[Kind][], total: counted?.total ?? 0 }
  return { entity: (await entityOf(backend, kind, row)) as Entities[Kind], listed }
}

/**
 * The entity with its consumer that has this id, if there is one: one round trip. Throws `secretNotFound` or
 * `containerNotFound`.
 */
export async function findWithConsumer<Kind extends ConsumerKind>(
  backend: Backend,
  kind: Kind,
  id: string,
  consumerId: string,
): Promise<{ readonly entity: Entities[Kind]; readonly consumer: Consumers[Kind] | undefined }> {
  const { table, owner, read } = kinds[kind]
  const isConsumer = and(eq(table.id, consumerId), eq(owner, id))
  const [[row], [consumer]] = await backend.db.batch([
    read(backend, id),
    backend.db.select().from(table).where(isConsumer),
  ])
  return {
    entity: (await entityOf(backend, kind, row)) as Entities[Kind],
    consumer: consumer as Consumers[Kind] | undefined,
  }
}
