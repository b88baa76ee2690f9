/** The resource `/secrets/{id}/acl/use`: who may use a key without being able to read it. */
import * as z from 'zod/mini'
import { keyOperations, type KeyOperation, type Secret, type UseAcl } from '../../state/entities.ts'
import { deleteUseAcl, setUseAcl } from '../../state/secrets/key-uses.ts'
import type { Shapes } from '../../shapes/index.ts'
import { json } from '../http/body.ts'
import { NO_CONTENT } from '../http/replies.ts'
import { operation, resource } from '../http/resource.ts'
import { closedObject, flag, list, schemaFault, text } from '../http/schema.ts'
import { secretFaults, secretOfPath } from '../secrets.ts'

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
const aclReader = json(aclBody)

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

const view = ({ use }: Secret): Shapes['UseAcl'] => ({
  grants: (use?.grants ?? []).map(({ userId, operations }) => ({ user_id: userId, operations })),
  'project-access': use?.projectAccess ?? true,
})

export const useAclResource = resource<Secret>({
  path: '/secrets/:secret/acl/use',
  auditTarget: 'secret/use-acl',
  find: secretOfPath,
  faults: secretFaults,
  operations: {
    GET: operation({
      name: 'UseACL retrieval',
      rule: 'secret_use_acl:get',
      answers: { 200: 'UseAcl' },
      faults: [],
      answer: (_call, secret) => ({ status: 200, json: view(secret) }),
    }),
    PUT: operation({
      name: 'UseACL update',
      rule: 'secret_use_acl:put',
      body: aclReader,
      answers: { 200: 'AclRef' },
      faults: ['changedConcurrently'],
      async answer({ backend, refs }, secret, body) {
        await setUseAcl(backend, secret, requestedAcl(body))
        return { status: 200, json: { acl_ref: refs.to('secrets', secret.id, 'acl', 'use') } }
      },
    }),
    DELETE: operation({
      name: 'UseACL deletion',
      rule: 'secret_use_acl:delete',
      accept: 'known',
      answers: { 204: null },
      faults: ['changedConcurrently'],
      async answer({ backend }, secret) {
        await deleteUseAcl(backend, secret)
        return NO_CONTENT
      },
    }),
  },
})
