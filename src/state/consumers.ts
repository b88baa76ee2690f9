/** Consumers: who uses a secret or a container. */
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Caller } from '../caller.ts'
import { fault } from '../faults.ts'
import type { Guarded } from './guarded.ts'
import type { Backend } from './backend.ts'
import {
  kinds,
  type ConsumerKind,
  type Consumers,
  type EntityRows,
  type Identities,
  type Registration,
} from './consumer-rows.ts'
import { circumstances, settled } from './project-object.ts'

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
    return (await settled(backend.session, project[method](circumstances(backend), registration))) as EntityRows[Kind]
  }
}

/** Registers the caller's consumer of the entity; see `storeConsumer`. */
export const addConsumer = mutation('addConsumer')

/** Takes a consumer of the entity away; see `removeConsumer`. */
export const deleteConsumer = mutation('deleteConsumer')

/** One page of an entity's consumers: of a secret oldest first, of a container by name. */
export async function listConsumers<Kind extends ConsumerKind>(
  backend: Backend,
  kind: Kind,
  entity: Entity,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: Consumers[Kind][]; total: number }> {
  const { table, owner, order } = kinds[kind]
  const ofEntity = eq(owner, entity.id)
  const [items, [counted]] = await backend.db.batch([
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
  return { items: items as Consumers[Kind][], total: counted?.total ?? 0 }
}

/** The consumer of the entity with this id; throws `consumerNotFound`. */
export async function findConsumer<Kind extends ConsumerKind>(
  backend: Backend,
  kind: Kind,
  entity: Entity,
  id: string,
): Promise<Consumers[Kind]> {
  const { table, owner } = kinds[kind]
  const row = await backend.db
    .select()
    .from(table)
    .where(and(eq(table.id, id), eq(owner, entity.id)))
    .get()
  if (!row) throw fault('consumerNotFound')
  return row as Consumers[Kind]
}
