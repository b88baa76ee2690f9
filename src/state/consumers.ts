/** Consumers: registrations of who uses a secret or a container. */
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { Caller } from '../caller.ts'
import { fault } from '../faults.ts'
import type { Backend } from './backend.ts'
import { authenticContainer, selectContainer } from './containers/container-rows.ts'
import { findContainer } from './containers/containers.ts'
import { CONFLICT, patient } from './database/conflicts.ts'
import { build, select, selectValues } from './database/prepared.ts'
import type { ConsumerKind, Consumers, Container, Entities, Identities, Registration, Secret } from './entities.ts'
import { sendToObject } from './project-calls.ts'
import { currentEntity, overCurrent } from './repeated-changes.ts'
import { newRowId } from './row-ids.ts'
import { containerConsumers, secretConsumers } from './schema/resources.ts'
import type { KeyedScope } from './scope.ts'
import { sawSecret } from './secrets/last-seen.ts'
import { evictSecret } from './secrets/memory.ts'
import { authenticSecret, selectSecret } from './secrets/secret-rows.ts'
import { currentSecret } from './secrets/secrets.ts'

type Entity = Secret | Container

function registrationOf<Kind extends ConsumerKind>(
  entity: Entity,
  caller: Caller,
  identity: Identities[Kind],
): Registration<Kind> {
  const { id: entityId, projectId: entityProjectId, mac: entityMac } = entity
  return { id: newRowId(), entityId, entityProjectId, entityMac, projectId: caller.projectId, identity }
}

type Change = 'add' | 'delete'

/** Registers or removes a consumer of a secret in the object of the secret's project; returns the secret as it is then. */
export function changeSecretConsumer(
  backend: Backend,
  change: Change,
  secret: Secret,
  caller: Caller,
  identity: Identities['secret'],
): Promise<Secret> {
  const attempt = async (current: Secret) => {
    const registration = registrationOf<'secret'>(current, caller, identity)
    try {
      const row = await sendToObject(backend, secret.projectId, (object, context) =>
        object.changeSecretConsumer(context, change, registration),
      )
      return row ? sawSecret(backend, await authenticSecret(backend, row)) : CONFLICT
    } finally {
      evictSecret(backend.db, secret)
    }
  }
  // Hundreds may store versions of the secret at the same moment, each of which changes its row.
  return overCurrent(backend, currentSecret(backend, secret), attempt, patient)
}

/** As {@link changeSecretConsumer}, of a container. */
export function changeContainerConsumer(
  backend: Backend,
  change: Change,
  container: Container,
  caller: Caller,
  identity: Identities['container'],
): Promise<Container> {
  const current = currentEntity(container, () => findContainer(backend, container.id))
  return overCurrent(backend, current, async (found) => {
    const registration = registrationOf<'container'>(found, caller, identity)
    const row = await sendToObject(backend, container.projectId, (object, context) =>
      object.changeContainerConsumer(context, change, registration),
    )
    return row ? authenticContainer(backend, row) : CONFLICT
  })
}

export interface ConsumersPage<Kind extends ConsumerKind> {
  readonly items: readonly Consumers[Kind][]
  readonly total: number
}

interface Listed<Kind extends ConsumerKind> {
  readonly entity: Entities[Kind]
  readonly listed: ConsumersPage<Kind>
}

interface Page {
  readonly limit: number
  readonly offset: number
}

const secretColumns = getTableColumns(secretConsumers)
const containerColumns = getTableColumns(containerConsumers)

/** Finds a secret with one page of its consumers, oldest first, in one round trip. Throws `secretNotFound`. */
export async function findSecretWithConsumers(
  scope: KeyedScope,
  id: string,
  { limit, offset }: Page,
): Promise<Listed<'secret'>> {
  const ofSecret = eq(secretConsumers.secretId, id)
  const read = await scope.db.batch({
    secret: selectSecret(scope, id, false),
    items: select(secretColumns, (columns) =>
      build
        .select(columns)
        .from(secretConsumers)
        .where(ofSecret)
        .orderBy(asc(secretConsumers.seq))
        .limit(limit)
        .offset(offset),
    ),
    counted: selectValues({ total: sql<number>`(select count(*) from ${secretConsumers} where ${ofSecret})` }),
  })
  const [row] = read.secret
  if (!row) throw fault('secretNotFound')
  const listed = { items: read.items, total: read.counted[0]?.total ?? 0 }
  return { entity: await authenticSecret(scope, row), listed }
}

/** Finds a container with one page of its consumers, by name, in one round trip. Throws `containerNotFound`. */
export async function findContainerWithConsumers(
  scope: KeyedScope,
  id: string,
  { limit, offset }: Page,
): Promise<Listed<'container'>> {
  const ofContainer = eq(containerConsumers.containerId, id)
  const read = await scope.db.batch({
    container: selectContainer(scope, id),
    items: select(containerColumns, (columns) =>
      build
        .select(columns)
        .from(containerConsumers)
        .where(ofContainer)
        .orderBy(asc(containerConsumers.name), asc(containerConsumers.seq))
        .limit(limit)
        .offset(offset),
    ),
    counted: selectValues({ total: sql<number>`(select count(*) from ${containerConsumers} where ${ofContainer})` }),
  })
  const [row] = read.container
  if (!row) throw fault('containerNotFound')
  const listed = { items: read.items, total: read.counted[0]?.total ?? 0 }
  return { entity: await authenticContainer(scope, row), listed }
}

interface WithConsumer<Kind extends ConsumerKind> {
  readonly entity: Entities[Kind]
  /** Undefined if the entity has no consumer with this id. */
  readonly consumer: Consumers[Kind] | undefined
}

/** Finds a secret and its consumer with this id, in one round trip. Throws `secretNotFound`. */
export async function findSecretWithConsumer(
  scope: KeyedScope,
  id: string,
  consumerId: string,
): Promise<WithConsumer<'secret'>> {
  const isConsumer = and(eq(secretConsumers.id, consumerId), eq(secretConsumers.secretId, id))
  const read = await scope.db.batch({
    secret: selectSecret(scope, id, false),
    consumer: select(secretColumns, (columns) => build.select(columns).from(secretConsumers).where(isConsumer)),
  })
  const [row] = read.secret
  if (!row) throw fault('secretNotFound')
  return { entity: await authenticSecret(scope, row), consumer: read.consumer[0] }
}

/** Finds a container and its consumer with this id, in one round trip. Throws `containerNotFound`. */
export async function findContainerWithConsumer(
  scope: KeyedScope,
  id: string,
  consumerId: string,
): Promise<WithConsumer<'container'>> {
  const isConsumer = and(eq(containerConsumers.id, consumerId), eq(containerConsumers.containerId, id))
  const read = await scope.db.batch({
    container: selectContainer(scope, id),
    consumer: select(containerColumns, (columns) => build.select(columns).from(containerConsumers).where(isConsumer)),
  })
  const [row] = read.container
  if (!row) throw fault('containerNotFound')
  return { entity: await authenticContainer(scope, row), consumer: read.consumer[0] }
}
