/** The resources `/secrets/{id}/consumers` and `/containers/{id}/consumers`, and the consumers in them. */
import * as z from 'zod/mini'
import type { Rule } from '../access/policy.ts'
import type { Caller } from '../caller.ts'
import { fault } from '../faults.ts'
import type { Backend } from '../state/backend.ts'
import {
  changeContainerConsumer,
  changeSecretConsumer,
  findContainerWithConsumer,
  findContainerWithConsumers,
  findSecretWithConsumer,
  findSecretWithConsumers,
  type ConsumersPage,
} from '../state/consumers.ts'
import { asContainer } from '../state/containers/container-rows.ts'
import type { ConsumerKind, Consumers, Entities, EntityRows, Identities } from '../state/entities.ts'
import { asSecret } from '../state/secrets/secret-rows.ts'
import { json as answer, page } from './http/answers.ts'
import { json, type BodyReader } from './http/body.ts'
import { containerIdOfPath, containerOfPath, containerView } from './containers.ts'
import { parsePage } from './http/paging.ts'
import { isCanonicalId, type Refs } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { setHeader } from './http/response.ts'
import { object, text } from './http/schema.ts'
import { secretIdOfPath, secretOfPath, secretView } from './secrets.ts'

const MAX_CHARACTERS = 255
/** The size of Barbican's columns, which hold UUIDs; it fails for longer ids. */
const MAX_RESOURCE_ID_CHARACTERS = 36
const MAX_CONSUMER_NAME_CHARACTERS = 36

const secretConsumerBody = {
  name: 'Secret Consumer',
  type: z.lazy(() =>
    object({
      service: text({ min: 1, max: MAX_CHARACTERS }),
      resource_type: text({ min: 1, max: MAX_CHARACTERS }),
      resource_id: text({ min: 1, max: MAX_RESOURCE_ID_CHARACTERS }),
    }),
  ),
}

/** If both members are invalid, Barbican reports `URL`; if both are missing, `name`. */
const containerConsumerBody = {
  name: 'Consumer',
  type: z.lazy(() =>
    object({
      URL: text({ min: 1, max: MAX_CHARACTERS }),
      name: text({ min: 1, max: MAX_CONSUMER_NAME_CHARACTERS }),
    }),
  ),
  missingFirst: ['name', 'URL'],
}

/** The differences between the consumers of secrets and of containers. */
interface Kind<Name extends ConsumerKind, Body> {
  /** Prefix of the operation names: `SecretConsumer creation`. */
  readonly label: string
  readonly collection: 'secrets' | 'containers'
  readonly param: string
  readonly find: (call: Call) => Promise<Entities[Name]>
  readonly findWithPage: (
    backend: Backend,
    id: string,
    page: ReturnType<typeof parsePage>,
  ) => Promise<{ readonly entity: Entities[Name]; readonly listed: ConsumersPage<Name> }>
  readonly findWithOne: (
    backend: Backend,
    id: string,
    consumerId: string,
  ) => Promise<{ readonly entity: Entities[Name]; readonly consumer: Consumers[Name] | undefined }>
  /** Registers or removes the caller's consumer; returns the entity's row after the change. */
  readonly change: (
    backend: Backend,
    change: 'add' | 'delete',
    entity: Entities[Name],
    caller: Caller,
    identity: Identities[Name],
  ) => Promise<EntityRows[Name]>
  readonly idOfPath: (param: Call['param']) => string
  readonly body: BodyReader<Body>
  readonly identity: (body: Body) => Identities[Name]
  readonly rules: { readonly list: Rule; readonly post: Rule; readonly delete: Rule; readonly item: Rule }
  readonly itemView: (consumer: Consumers[Name]) => Record<string, unknown>
  readonly entityView: (row: EntityRows[Name], refs: Refs) => Record<string, unknown>
}

const base = ({ created, updated }: { readonly created: string; readonly updated: string }) => ({
  created,
  updated,
  status: 'ACTIVE',
})

const secretKind: Kind<'secret', z.infer<typeof secretConsumerBody.type>> = {
  label: 'SecretConsumer',
  collection: 'secrets',
  param: 'secret',
  find: secretOfPath,
  findWithPage: findSecretWithConsumers,
  findWithOne: findSecretWithConsumer,
  change: changeSecretConsumer,
  idOfPath: secretIdOfPath,
  body: json(secretConsumerBody),
  identity: ({ service, resource_type: resourceType, resource_id: resourceId }) => ({
    service,
    resourceType,
    resourceId,
  }),
  rules: {
    list: 'secret_consumers:get',
    post: 'secret_consumers:post',
    delete: 'secret_consumers:delete',
    item: 'secret_consumer:get',
  },
  itemView: (consumer) => ({
    ...base(consumer),
    service: consumer.service,
    resource_type: consumer.resourceType,
    resource_id: consumer.resourceId,
  }),
  entityView: (row, refs) => secretView(asSecret(row), refs, true),
}

const containerKind: Kind<'container', z.infer<typeof containerConsumerBody.type>> = {
  label: 'ContainerConsumer',
  collection: 'containers',
  param: 'container',
  find: containerOfPath,
  findWithPage: findContainerWithConsumers,
  findWithOne: findContainerWithConsumer,
  change: changeContainerConsumer,
  idOfPath: containerIdOfPath,
  body: json(containerConsumerBody),
  identity: ({ name, URL: url }) => ({ name, url }),
  rules: {
    list: 'container_consumers:get',
    post: 'container_consumers:post',
    delete: 'container_consumers:delete',
    item: 'container_consumer:get',
  },
  itemView: (consumer) => ({ ...base(consumer), name: consumer.name, URL: consumer.url }),
  entityView: (row, refs) => containerView(asContainer(row), refs),
}

function consumersOf<Name extends ConsumerKind, Body>(kind: Kind<Name, Body>) {
  type Entity = Entities[Name]
  /** For `GET`, `listed` is the requested page, which is read in the same round trip. */
  type Listing = Entity & { readonly listed?: ConsumersPage<Name> }
  const collection = resource<Listing>({
    path: `/${kind.collection}/:${kind.param}/consumers`,
    async find(call) {
      if (call.c.req.method !== 'GET') return kind.find(call)
      const id = kind.idOfPath(call.param)
      const { entity, listed } = await kind.findWithPage(call.backend, id, parsePage(call.query))
      return { ...entity, listed }
    },
    operations: {
      GET: operation<Listing>({
        name: `${kind.label}s(s) retrieval`,
        rule: kind.rules.list,
        answer({ c, query, refs }, { id, listed }) {
          const { items = [], total = 0 } = listed ?? {}
          const href = refs.to(kind.collection, id, 'consumers')
          return page(c, 'consumers', items.map(kind.itemView), { href, query, page: parsePage(query), total })
        },
      }),
      POST: operation<Entity, Body>({
        name: `${kind.label} creation`,
        rule: kind.rules.post,
        body: kind.body,
        async answer({ c, backend, caller, refs }, entity, body) {
          const after = await kind.change(backend, 'add', entity, caller, kind.identity(body))
          setHeader(c, 'Location', refs.to(kind.collection, entity.id, 'consumers'))
          return answer(c, 200, kind.entityView(after, refs))
        },
      }),
      DELETE: operation<Entity, Body>({
        name: `${kind.label} deletion`,
        rule: kind.rules.delete,
        body: kind.body,
        async answer({ c, backend, caller, refs }, entity, body) {
          const after = await kind.change(backend, 'delete', entity, caller, kind.identity(body))
          return answer(c, 200, kind.entityView(after, refs))
        },
      }),
    },
  })
  type Item = Entity & { readonly consumer: Consumers[Name] | undefined }
  const item = resource<Item>({
    path: `/${kind.collection}/:${kind.param}/consumers/:consumer`,
    // As in Barbican, the format of the id is checked before the policy rule, and its existence after it.
    async find({ backend, param }) {
      const id = param('consumer')
      const { entity, consumer } = await kind.findWithOne(backend, kind.idOfPath(param), id)
      if (!isCanonicalId(id)) throw fault('consumerId')
      return { ...entity, consumer }
    },
    operations: {
      GET: operation<Item>({
        name: `${kind.label} retrieval`,
        rule: kind.rules.item,
        answer({ c }, { consumer }) {
          if (!consumer) throw fault('consumerNotFound')
          return answer(c, 200, kind.itemView(consumer))
        },
      }),
    },
  })
  return [collection, item]
}

export const consumerResources = [...consumersOf(secretKind), ...consumersOf(containerKind)]
