/** The resources `/containers`, `/containers/{id}` and `/containers/{id}/secrets`. */
import * as z from 'zod/mini'
import { fault } from '../faults.ts'
import {
  addToContainer,
  containerTypes,
  createContainer,
  deleteContainer,
  findContainer,
  listContainers,
  removeFromContainer,
  type ContainerType,
} from '../state/containers/containers.ts'
import type { Container, NamedSecret } from '../state/entities.ts'
import type { Shapes } from '../shapes/index.ts'
import { listEnd, located } from './http/answers.ts'
import { deferred, json } from './http/body.ts'
import { markedQuery } from './http/paging.ts'
import { given } from './http/query.ts'
import { NO_CONTENT } from './http/replies.ts'
import { idOf, isCanonicalId, type Refs } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { list, object, schemaFault, text, textOrNull } from './http/schema.ts'
import { MAX_NAME_CHARACTERS } from './secret-body.ts'

const SCHEMA = 'Container'
const REFS = 'secret_refs'

const containerBody = {
  name: SCHEMA,
  type: z.lazy(() =>
    object({
      name: z.optional(textOrNull({ max: MAX_NAME_CHARACTERS })),
      type: text({ oneOf: containerTypes }),
      [REFS]: z.optional(
        list(
          object({
            secret_ref: text({ min: 1 }),
            name: z.optional(textOrNull({ max: MAX_NAME_CHARACTERS })),
          }),
        ),
      ),
    }),
  ),
}
type ContainerBody = z.infer<typeof containerBody.type>
type SecretRefs = NonNullable<ContainerBody['secret_refs']>

const memberBody = {
  name: 'ContainerSecret',
  type: z.lazy(() => object({ name: z.optional(text({ max: MAX_NAME_CHARACTERS })), secret_ref: text({ min: 1 }) })),
}

/** The reference names that a container type allows and requires, with Barbican's message for either violation. */
const namesOfType: Record<
  Exclude<ContainerType, 'generic'>,
  { allowed: readonly string[]; required: readonly string[]; notAllowed: string; missing: string }
> = {
  rsa: {
    allowed: ['private_key', 'public_key', 'private_key_passphrase'],
    required: ['private_key', 'public_key'],
    notAllowed:
      "only 'private_key', 'public_key' and 'private_key_passphrase' reference names are allowed for RSA type",
    missing: "The minimum required reference names are 'public_key' and'private_key' for RSA type",
  },
  certificate: {
    allowed: ['certificate', 'private_key', 'private_key_passphrase', 'intermediates'],
    required: ['certificate'],
    notAllowed:
      "only 'private_key', 'certificate' , 'private_key_passphrase',  or 'intermediates' reference names are allowed for Certificate type",
    missing: "The minimum required reference name is 'certificate' for Certificate type",
  },
}

const hasDuplicates = (values: readonly unknown[]) => new Set(values).size < values.length

/** Returns the id of the secret in a ref. Like Barbican, it accepts one trailing slash. */
const secretIdOf = (ref: string) => idOf(ref.replace(/\/$/, ''))

/** Checks the references of a new container in Barbican's order. Throws if a ref is not below `base`. */
function checkRefs(type: ContainerType, refs: SecretRefs, base: string): void {
  const refuse = (reason: string) => schemaFault(SCHEMA, reason, REFS)
  const names = refs.map(({ name }) => (name === undefined ? '' : name))
  if (hasDuplicates(names)) throw refuse('Duplicate reference names are not allowed')
  if (hasDuplicates(refs.map(({ secret_ref: ref }) => secretIdOf(ref)))) {
    throw refuse('Duplicate secret ids are not allowed')
  }
  if (!refs.every(({ secret_ref: ref }) => ref.startsWith(base))) throw fault('fieldValue')
  if (type === 'generic') return
  const { allowed, required, notAllowed, missing } = namesOfType[type]
  if (!names.every((name) => name !== null && allowed.includes(name))) throw refuse(notAllowed)
  if (!required.every((name) => names.includes(name))) throw refuse(missing)
}

/** Returns the representation of a container. */
export function containerView(container: Container, refs: Refs): Shapes['Container'] {
  return {
    created: container.created,
    updated: container.updated,
    status: 'ACTIVE',
    name: container.name,
    type: container.type,
    creator_id: container.creatorId,
    secret_refs: container.secrets.map(({ name, secretId }) => ({ name, secret_ref: refs.to('secrets', secretId) })),
    consumers: container.consumers,
    container_ref: refs.to('containers', container.id),
  }
}

/** Finds the container that the path names, in any project. As in Barbican, a 404 precedes the policy check. */
export function containerOfPath({ backend, param }: Call): Promise<Container> {
  return findContainer(backend, containerIdOfPath(param))
}

/** What refuses the container in a path. */
export const containerFaults = ['containerId', 'containerNotFound'] as const

/** Returns the id of the container in the path. Throws `containerId` if it is not a canonical id. */
export function containerIdOfPath(param: Call['param']): string {
  const id = param('container')
  if (!isCanonicalId(id)) throw fault('containerId')
  return id
}

const newContainerBody = json(containerBody)

const collection = resource({
  path: '/containers',
  operations: {
    GET: operation({
      name: 'Containers(s) retrieval',
      rule: 'containers:get',
      query: { name: given, type: given, ...markedQuery },
      answers: { 200: 'Containers' },
      faults: ['markerUnknown'],
      async answer(call) {
        const { backend, caller, query, refs } = call
        const read = await listContainers(backend, caller.projectId, { name: query.name, type: query.type }, query)
        const containers = read.items.map((container) => containerView(container, refs))
        return { status: 200, json: { containers, ...listEnd(call, 'containers', read) } }
      },
    }),
    POST: operation({
      name: 'Container creation',
      rule: 'containers:post',
      body: newContainerBody,
      answers: { 201: 'ContainerRef' },
      faults: ['fieldValue', 'containerSecretAbsent', 'quotaReached', 'projectDestroyed', 'containerFull'],
      async answer({ c, backend, caller, refs }, _project, body) {
        const named = body.secret_refs ?? []
        if (named.length > 0) checkRefs(body.type, named, c.var.base)
        const secrets = named.map(({ name, secret_ref: ref }) => ({ name: name ?? null, secretId: secretIdOf(ref) }))
        const id = await createContainer(backend, caller, { name: body.name ?? null, type: body.type, secrets })
        return { status: 201, json: { container_ref: located(c, refs.to('containers', id)) } }
      },
    }),
  },
})

const item = resource<Container>({
  path: '/containers/:container',
  find: containerOfPath,
  faults: containerFaults,
  operations: {
    GET: operation({
      name: 'Container retrieval',
      rule: 'container:get',
      answers: { 200: 'Container' },
      faults: [],
      answer: ({ refs }, container) => ({ status: 200, json: containerView(container, refs) }),
    }),
    DELETE: operation({
      name: 'Container deletion',
      rule: 'container:delete',
      accept: 'known',
      query: { revoke: (values: readonly string[]) => values[0] === 'true' },
      answers: { 204: null },
      faults: ['notIssued'],
      async answer({ backend, query }, container) {
        await deleteContainer(backend, container, query.revoke)
        return NO_CONTENT
      },
    }),
  },
})

type MemberBody = z.infer<typeof memberBody.type>
const removedMemberBody = json(memberBody)
const addedMemberBody = deferred(memberBody)

const namedSecret = ({ name, secret_ref: ref }: MemberBody): NamedSecret => ({
  name: name ?? null,
  secretId: idOf(ref),
})

const members = resource<Container>({
  path: '/containers/:container/secrets',
  find: containerOfPath,
  faults: containerFaults,
  operations: {
    POST: operation({
      name: 'Container Secret creation',
      rule: 'container_secret:post',
      body: addedMemberBody,
      answers: { 201: 'ContainerRef' },
      faults: ['containerNotGeneric', 'secretProvidedAbsent', 'secretInContainer', 'containerFull'],
      async answer({ c, backend, refs }, container, read) {
        if (container.type !== 'generic') throw fault('containerNotGeneric')
        await addToContainer(backend, container, namedSecret(await read()))
        return { status: 201, json: { container_ref: located(c, refs.to('containers', container.id)) } }
      },
    }),
    DELETE: operation({
      name: 'Container Secret deletion',
      rule: 'container_secret:delete',
      accept: 'known',
      body: removedMemberBody,
      answers: { 204: null },
      faults: ['secretReferenceAbsent', 'secretNotInContainer'],
      async answer({ backend }, container, body) {
        await removeFromContainer(backend, container, namedSecret(body), body.secret_ref)
        return NO_CONTENT
      },
    }),
  },
})

export const containerResources = [collection, item, members]
