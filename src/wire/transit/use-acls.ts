/** The resource `/secrets/{id}/acl/use`: who may use a key without being able to read it. */
import * as z from 'zod/mini'
import { keyOperations, type KeyOperation, type Secret, type UseAcl } from '../../state/entities.ts'
import { deleteUseAcl, setUseAcl } from '../../state/secrets/key-uses.ts'
import { json as answer, noContent } from '../http/answers.ts'
import { json } from '../http/body.ts'
import { operation, resource } from '../http/resource.ts'
import { closedObject, flag, list, schemaFault, text } from '../http/schema.ts'
import { secretOfPath } from '../secrets.ts'

const SCHEMA = 'Use ACL'
const MAX_USER_CHARACTERS = 255
/** Users that an ACL grants operations to. */
export const MAX_GRANTS = 50

const aclBody = {
  name: SCHEMA,
  type: z.lazy(() =>
    closedObject({
      grants: z.optional(
        list(
          closedObject({
            user_id: text({ min: 1, max: MAX_USER_CHARACTERS }),
            operations: list(text({ oneOf: keyOperations })),
          }),
        ),
      ),
      'project-access': z.optional(flag()),
    }),
  ),
}
type AclBody = z.infer<typeof aclBody.type>

/** The ACL that a body describes: one grant for each user, with operations sorted and each once. */
function requestedAcl({ grants = [], 'project-access': projectAccess = true }: AclBody): UseAcl {
  const operationsOf = new Map<string, KeyOperation[]>()
  for (const { user_id: userId, operations } of grants)
    operationsOf.set(userId, [...(operationsOf.get(userId) ?? []), ...operations])
  if (operationsOf.size > MAX_GRANTS) throw schemaFault(SCHEMA, `more than ${MAX_GRANTS} grants`, 'grants')
  const merged = [...operationsOf].map(([userId, operations]) => ({
    userId,
    operations: [...new Set(operations)].toSorted(),
  }))
  return { projectAccess, grants: merged }
}

const view = ({ use }: Secret) => ({
  grants: (use?.grants ?? []).map(({ userId, operations }) => ({ user_id: userId, operations })),
  'project-access': use?.projectAccess ?? true,
})

export const useAclResource = resource<Secret>({
  path: '/secrets/:secret/acl/use',
  auditTarget: 'secret/use-acl',
  find: secretOfPath,
  operations: {
    GET: operation<Secret>({
      name: 'UseACL retrieval',
      rule: 'secret_use_acl:get',
      answer: ({ c }, secret) => answer(c, 200, view(secret)),
    }),
    PUT: operation<Secret, AclBody>({
      name: 'UseACL update',
      rule: 'secret_use_acl:put',
      body: json(aclBody),
      async answer({ c, backend, refs }, secret, body) {
        await setUseAcl(backend, secret, requestedAcl(body))
        return answer(c, 200, { acl_ref: refs.to('secrets', secret.id, 'acl', 'use') })
      },
    }),
    DELETE: operation<Secret>({
      name: 'UseACL deletion',
      rule: 'secret_use_acl:delete',
      accept: 'known',
      async answer({ c, backend }, secret) {
        await deleteUseAcl(backend, secret)
        return noContent(c)
      },
    }),
  },
})
