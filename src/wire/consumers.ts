/** The resources `/secrets/{id}/consumers` and `/containers/{id}/consumers`, and the consumers in them. */
import * as z from 'zod/mini'
import type { Rule } from '../access/policy.ts'
import type { Caller } from '../caller.ts'
import { fault, type FailureName } from '../faults.ts'
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
import type { ConsumerKind, Consumers, Entities, Identities } from '../state/entities.ts'
import type { Shapes } from '../shapes/index.ts'
import { located, pageEnd } from './http/answers.ts'
import { json, type BodyReader } from './http/body.ts'
import { containerFaults, containerIdOfPath, containerOfPath, containerView } from './containers.ts'
import { pageQuery, type Page } from './http/paging.ts'
import { valuesIn } from './http/query.ts'
import type { ReplyOf } from './http/replies.ts'
import { isCanonicalId, type Refs } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { object, text } from './http/schema.ts'
import { recallSecretOfPath, secretFaults, secretIdOfPath, secretOfPath, secretView } from './secrets.ts'

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

/** What is answered about the consumers of a kind. */
interface Said {
  readonly list: { readonly 200: 'SecretConsumers' | 'ContainerConsumers' }
  readonly item: { readonly 200: 'SecretConsumer' | 'ContainerConsumer' }
  readonly entity: { readonly 200: 'Secret' | 'Container' }
}

/** The differences between the consumers of secrets and of containers. */
interface Kind<Name extends ConsumerKind, Body, Shown extends Said> {
  /** Prefix of the operation names: `SecretConsumer creation`. */
  readonly label: string
  readonly collection: 'secrets' | 'containers'
  readonly param: string
  readonly find: (call: Call) => Promise<Entities[Name]>
  readonly findWithPage: (
    backend: Backend,
    id: string,
    page: Page,
  ) => Promise<{ readonly entity: Entities[Name]; readonly listed: ConsumersPage<Name> }>
  readonly findWithOne: (
    backend: Backend,
    id: string,
    consumerId: string,
  ) => Promise<{ readonly entity: Entities[Name]; readonly consumer: Consumers[Name] | undefined }>
  /** The entity as this isolate saw it last, if it keeps that. */
  readonly recall?: (call: Call) => Entities[Name] | undefined
  /** Registers or removes the caller's consumer; returns the entity after the change. */
  readonly change: (
    backend: Backend,
    change: 'add' | 'delete',
    entity: Entities[Name],
    caller: Caller,
    identity: Identities[Name],
  ) => Promise<Entities[Name]>
  readonly idOfPath: (param: Call['param']) => string
  readonly body: BodyReader<Body>
  readonly identity: (body: Body) => Identities[Name]
  readonly rules: { readonly list: Rule; readonly post: Rule; readonly delete: Rule; readonly item: Rule }
  /** What refuses the entity in a path. */
  readonly faults: readonly FailureName[]
  readonly answers: Shown
  readonly listReply: (items: readonly Consumers[Name][], end: ReturnType<typeof pageEnd>) => ReplyOf<Shown['list']>
  readonly itemReply: (consumer: Consumers[Name]) => ReplyOf<Shown['item']>
  readonly entityReply: (entity: Entities[Name], refs: Refs) => ReplyOf<Shown['entity']>
}

const base = ({ created, updated }: { readonly created: string; readonly updated: string }) => ({
  created,
  updated,
  status: 'ACTIVE' as const,
})

const secretConsumerView = (consumer: Consumers['secret']): Shapes['SecretConsumer'] => ({
  ...base(consumer),
  service: consumer.service,
  resource_type: consumer.resourceType,
  resource_id: consumer.resourceId,
})

const containerConsumerView = (consumer: Consumers['container']): Shapes['ContainerConsumer'] => ({
  ...base(consumer),
  name: consumer.name,
  URL: consumer.url,
})

const secretAnswers = {
  list: { 200: 'SecretConsumers' },
  item: { 200: 'SecretConsumer' },
  entity: { 200: 'Secret' },
} as const

const secretKind = {
  label: 'SecretConsumer',
  collection: 'secrets',
  param: 'secret',
  find: secretOfPath,
  recall: recallSecretOfPath,
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
  faults: secretFaults,
  answers: secretAnswers,
  listReply: (items, end) => ({ status: 200, json: { consumers: items.map(secretConsumerView), ...end } }),
  itemReply: (consumer) => ({ status: 200, json: secretConsumerView(consumer) }),
  entityReply: (secret, refs) => ({ status: 200, json: secretView(secret, refs, true) }),
} satisfies Kind<'secret', z.infer<typeof secretConsumerBody.type>, typeof secretAnswers>

const containerAnswers = {
  list: { 200: 'ContainerConsumers' },
  item: { 200: 'ContainerConsumer' },
  entity: { 200: 'Container' },
} as const

const containerKind = {
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
  faults: containerFaults,
  answers: containerAnswers,
  listReply: (items, end) => ({ status: 200, json: { consumers: items.map(containerConsumerView), ...end } }),
  itemReply: (consumer) => ({ status: 200, json: containerConsumerView(consumer) }),
  entityReply: (container, refs) => ({ status: 200, json: containerView(container, refs) }),
} satisfies Kind<'container', z.infer<typeof containerConsumerBody.type>, typeof containerAnswers>

function collectionOf<Name extends ConsumerKind, Body>(kind: Kind<Name, Body, Said>) {
  type Entity = Entities[Name]
  /** For `GET`, `listed` is the requested page, which is read in the same round trip. */
  type Listing = Entity & { readonly listed?: ConsumersPage<Name> }
  return resource<Listing>({
    path: `/${kind.collection}/:${kind.param}/consumers`,
    async find(call) {
      if (call.c.req.method !== 'GET') return kind.find(call)
      const id = kind.idOfPath(call.param)
      const { entity, listed } = await kind.findWithPage(call.backend, id, valuesIn(pageQuery, call.search))
      return { ...entity, listed }
    },
    ...(kind.recall && { recall: kind.recall }),
    faults: kind.faults,
    operations: {
      GET: operation({
        name: `${kind.label}s(s) retrieval`,
        rule: kind.rules.list,
        query: pageQuery,
        answers: kind.answers.list,
        faults: [],
        answer({ search, query, refs }, { id, listed }) {
          const { items = [], total = 0 } = listed ?? {}
          const href = refs.to(kind.collection, id, 'consumers')
          return kind.listReply(items, pageEnd({ href, search, page: query, count: items.length, total }))
        },
      }),
      POST: operation({
        name: `${kind.label} creation`,
        rule: kind.rules.post,
        body: kind.body,
        answers: kind.answers.entity,
        faults: ['quotaReached', 'projectDestroyed', 'changedConcurrently', ...kind.faults],
        async answer({ c, backend, caller, refs }, entity, body) {
          const after = await kind.change(backend, 'add', entity, caller, kind.identity(body))
          located(c, refs.to(kind.collection, entity.id, 'consumers'))
          return kind.entityReply(after, refs)
        },
      }),
      DELETE: operation({
        name: `${kind.label} deletion`,
        rule: kind.rules.delete,
        body: kind.body,
        answers: kind.answers.entity,
        faults: ['consumerNotFound', 'consumerForeign', 'changedConcurrently', ...kind.faults],
        async answer({ backend, caller, refs }, entity, body) {
          const after = await kind.change(backend, 'delete', entity, caller, kind.identity(body))
          return kind.entityReply(after, refs)
        },
      }),
    },
  })
}

function itemOf<Name extends ConsumerKind, Body>(kind: Kind<Name, Body, Said>) {
  type Item = Entities[Name] & { readonly consumer: Consumers[Name] | undefined }
  return resource<Item>({
    path: `/${kind.collection}/:${kind.param}/consumers/:consumer`,
    // As in Barbican, the format of the id is checked before the policy rule, and its existence after it.
    async find({ backend, param }) {
      const id = param('consumer')
      const { entity, consumer } = await kind.findWithOne(backend, kind.idOfPath(param), id)
      if (!isCanonicalId(id)) throw fault('consumerId')
      return { ...entity, consumer }
    },
    faults: [...kind.faults, 'consumerId'],
    operations: {
      GET: operation({
        name: `${kind.label} retrieval`,
        rule: kind.rules.item,
        answers: kind.answers.item,
        faults: ['consumerNotFound'],
        answer(_call, { consumer }) {
          if (!consumer) throw fault('consumerNotFound')
          return kind.itemReply(consumer)
        },
      }),
    },
  })
}

export const consumerResources = [
  collectionOf(secretKind),
  itemOf(secretKind),
  collectionOf(containerKind),
  itemOf(containerKind),
]
