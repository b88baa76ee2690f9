/** The resources `/secrets/{id}/acl` and `/containers/{id}/acl`: read ACLs. */
import * as z from 'zod/mini'
import type { Rule } from '../access/policy.ts'
import type { Acl } from '../state/entities.ts'
import { deleteAcl, setAcl, type AclSubject, type GivenAcl, type GuardedKind } from '../state/acls.ts'
import type { FailureName } from '../faults.ts'
import type { Shapes } from '../shapes/index.ts'
import { json } from './http/body.ts'
import { containerFaults, containerOfPath } from './containers.ts'
import { operation, resource, type AnyOperation, type Call } from './http/resource.ts'
import { closedObject, flag, list, text } from './http/schema.ts'
import { secretFaults, secretOfPath } from './secrets.ts'

const MAX_USER_CHARACTERS = 255

const aclBody = {
  name: 'ACL',
  type: z.lazy(() =>
    closedObject({
      read: z.optional(
        closedObject({
          users: z.optional(list(text({ max: MAX_USER_CHARACTERS }))),
          'project-access': z.optional(flag()),
        }),
      ),
    }),
  ),
}
type AclBody = z.infer<typeof aclBody.type>
const aclReader = json(aclBody)

function view(acl: Acl | null): Shapes['ReadAcl'] {
  if (!acl) return { read: { 'project-access': true } }
  const { projectAccess, users, created, updated } = acl
  return { read: { 'project-access': projectAccess, users, created, updated } }
}

const requestedAcl = ({ read }: AclBody): GivenAcl => ({ projectAccess: read?.['project-access'], users: read?.users })

/** The differences between the ACLs of secrets and of containers. */
interface Kind {
  readonly kind: GuardedKind
  readonly label: string
  readonly collection: 'secrets' | 'containers'
  readonly find: (call: Call) => Promise<AclSubject>
  readonly faults: readonly FailureName[]
  readonly rules: { readonly get: Rule; readonly write: Rule; readonly delete: Rule }
}

function aclOf({ kind, label, collection, find, faults, rules }: Kind) {
  const update = (replace: boolean): AnyOperation<AclSubject> =>
    operation({
      name: `${label}(s) Update`,
      rule: rules.write,
      body: aclReader,
      answers: { 200: 'AclRef' },
      faults: ['changedConcurrently'],
      async answer({ backend, refs }, subject, body) {
        const requested = requestedAcl(body)
        const empty = requested.projectAccess === undefined && requested.users === undefined
        if (!empty) await setAcl(backend, kind, subject, requested, replace)
        else if (replace) await deleteAcl(backend, kind, subject)
        return { status: 200, json: { acl_ref: refs.to(collection, subject.id, 'acl') } }
      },
    })
  return resource<AclSubject>({
    path: `/${collection}/:${kind}/acl`,
    find,
    faults,
    operations: {
      GET: operation({
        name: `${label}(s) retrieval`,
        rule: rules.get,
        answers: { 200: 'ReadAcl' },
        faults: [],
        answer: (_call, { acl }) => ({ status: 200, json: view(acl) }),
      }),
      PUT: update(true),
      PATCH: update(false),
      DELETE: operation({
        name: `${label}(s) deletion`,
        rule: rules.delete,
        answers: { 200: 'DeletedAcl' },
        faults: ['changedConcurrently'],
        async answer({ backend }, subject) {
          await deleteAcl(backend, kind, subject)
          return { status: 200, json: null }
        },
      }),
    },
  })
}

export const aclResources = [
  aclOf({
    kind: 'secret',
    label: 'SecretACL',
    collection: 'secrets',
    find: secretOfPath,
    faults: secretFaults,
    rules: { get: 'secret_acls:get', write: 'secret_acls:put_patch', delete: 'secret_acls:delete' },
  }),
  aclOf({
    kind: 'container',
    label: 'ContainerACL',
    collection: 'containers',
    find: containerOfPath,
    faults: containerFaults,
    rules: { get: 'container_acls:get', write: 'container_acls:put_patch', delete: 'container_acls:delete' },
  }),
]
