/** The resources `/secrets/{id}/acl` and `/containers/{id}/acl`: read ACLs. */
import * as z from 'zod/mini'
import type { Rule } from '../access/policy.ts'
import type { Acl } from '../state/entities.ts'
import { deleteAcl, setAcl, type AclSubject, type GivenAcl, type GuardedKind } from '../state/acls.ts'
import { json as answer } from './http/answers.ts'
import { json } from './http/body.ts'
import { containerOfPath } from './containers.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { closedObject, flag, list, text } from './http/schema.ts'
import { secretOfPath } from './secrets.ts'

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

function view(acl: Acl | null) {
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
  readonly rules: { readonly get: Rule; readonly write: Rule; readonly delete: Rule }
}

function aclOf({ kind, label, collection, find, rules }: Kind) {
  const update = (replace: boolean) =>
    operation<AclSubject, AclBody>({
      name: `${label}(s) Update`,
      rule: rules.write,
      body: aclReader,
      async answer({ c, backend, refs }, subject, body) {
        const requested = requestedAcl(body)
        const empty = requested.projectAccess === undefined && requested.users === undefined
        if (!empty) await setAcl(backend, kind, subject, requested, replace)
        else if (replace) await deleteAcl(backend, kind, subject)
        return answer(c, 200, { acl_ref: refs.to(collection, subject.id, 'acl') })
      },
    })
  return resource<AclSubject>({
    path: `/${collection}/:${kind}/acl`,
    find,
    operations: {
      GET: operation<AclSubject>({
        name: `${label}(s) retrieval`,
        rule: rules.get,
        answer: ({ c }, { acl }) => answer(c, 200, view(acl)),
      }),
      PUT: update(true),
      PATCH: update(false),
      DELETE: operation<AclSubject>({
        name: `${label}(s) deletion`,
        rule: rules.delete,
        async answer({ c, backend }, subject) {
          await deleteAcl(backend, kind, subject)
          return answer(c, 200, null)
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
    rules: { get: 'secret_acls:get', write: 'secret_acls:put_patch', delete: 'secret_acls:delete' },
  }),
  aclOf({
    kind: 'container',
    label: 'ContainerACL',
    collection: 'containers',
    find: containerOfPath,
    rules: { get: 'container_acls:get', write: 'container_acls:put_patch', delete: 'container_acls:delete' },
  }),
]
