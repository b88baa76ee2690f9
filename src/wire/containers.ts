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
import { created, json as answer, listed, noContent } from './http/answers.ts'
import { json, unchecked } from './http/body.ts'
import { parseMarkedPage } from './http/paging.ts'
import { idOf, isCanonicalId, type Refs } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { checked, list, object, schemaFault, text, textOrNull } from './http/schema.ts'
import { MAX_NAME_CHARACTERS } from './secret-body.ts'
import { lastGiven } from './http/query.ts'

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
export function containerView(container: Container, refs: Refs) {
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
      async answer(call) {
        const { backend, caller, query, refs } = call
        const asked = parseMarkedPage(query)
        const filter = { name: lastGiven(query, 'name'), type: lastGiven(query, 'type') }
        const read = await listContainers(backend, caller.projectId, filter, asked)
        return listed(call, 'containers', asked, read, (container) => containerView(container, refs))
      },
    }),
    POST: operation({
      name: 'Container creation',
      rule: 'containers:post',
      body: newContainerBody,
      async answer({ c, backend, caller, refs }, _project, body) {
        const given = body.secret_refs ?? []
        if (given.length > 0) checkRefs(body.type, given, c.var.base)
        const secrets = given.map(({ name, secret_ref: ref }) => ({ name: name ?? null, secretId: secretIdOf(ref) }))
        const id = await createContainer(backend, caller, { name: body.name ?? null, type: body.type, secrets })
        return created(c, 201, 'container_ref', refs.to('containers', id))
      },
    }),
  },
})

const item = resource<Container>({
  path: '/containers/:container',
  find: containerOfPath,
  operations: {
    GET: operation<Container>({
      name: 'Container retrieval',
      rule: 'container:get',
      answer: ({ c, refs }, container) => answer(c, 200, containerView(container, refs)),
    }),
    DELETE: operation<Container>({
      name: 'Container deletion',
      rule: 'container:delete',
      accept: 'known',
      async answer({ c, backend, query }, container) {
        await deleteContainer(backend, container, query.get('revoke') === 'true')
        return noContent(c)
      },
    }),
  },
})

type MemberBody = z.infer<typeof memberBody.type>
const removedMemberBody = json(memberBody)

const namedSecret = ({ name, secret_ref: ref }: MemberBody): NamedSecret => ({
  name: name ?? null,
  secretId: idOf(ref),
})

const members = resource<Container>({
  path: '/containers/:container/secrets',
  find: containerOfPath,
  operations: {
    POST: operation<Container, () => Promise<unknown>>({
      name: 'Container Secret creation',
      rule: 'container_secret:post',
      body: unchecked(),
      async answer({ c, backend, refs }, container, document) {
        if (container.type !== 'generic') throw fault('containerNotGeneric')
        await addToContainer(backend, container, namedSecret(checked(memberBody, await document())))
        return created(c, 201, 'container_ref', refs.to('containers', container.id))
      },
    }),
    DELETE: operation<Container, MemberBody>({
      name: 'Container Secret deletion',
      rule: 'container_secret:delete',
      accept: 'known',
      body: removedMemberBody,
      async answer({ c, backend }, container, body) {
        await removeFromContainer(backend, container, namedSecret(body), body.secret_ref)
        return noContent(c)
      },
    }),
  },
})

export const containerResources = [collection, item, members]
