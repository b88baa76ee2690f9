/** Application credentials, which let a client act with some of a user's roles in one project. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import { newCredentialSecret } from '../../crypto/credential-secrets.ts'
import { createCredential, deleteCredential, findCredential, UNASSIGNED } from '../../state/identity/credentials.ts'
import { listCredentials, type ApplicationCredential } from '../../state/identity/credentials.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { foldName } from '../../state/identity/names.ts'
import type { Shapes } from '../../shapes/index.ts'
import type { RoleName } from '../../state/identity/roles.ts'
import { parseTime } from '../../times.ts'
import type { Service } from '../http/context.ts'
import { flag, list, object, secretText, text, textOrNull } from '../http/schema.ts'
import { collection, json, linkTo, noContent } from './answers.ts'
import { nameIn, nameOf, readMember } from './bodies.ts'
import { guarded, type Call } from './operations.ts'
import { roleProperties } from './roles.ts'

const PATH = '/v3/users/:user/application_credentials'

const roleReference = () =>
  object({ id: z.optional(text({ min: 1 })), name: z.optional(text({ min: 1 })) }).check(
    z.refine(({ id, name }) => id !== undefined || name !== undefined, {
      error: 'id or name must be present.',
      params: { anyOf: [{ required: ['id'] }, { required: ['name'] }] },
    }),
  )
/** What a new application credential has. */
export const newCredential = z.lazy(() =>
  object({
    name: nameOf(255),
    description: z.optional(textOrNull()),
    secret: z.optional(z.nullable(secretText())),
    expires_at: z.optional(textOrNull()),
    roles: z.optional(list(roleReference())),
    unrestricted: z.optional(flag()),
    access_rules: z.optional(
      list(z.unknown()).check(
        z.refine((rules) => rules.length === 0, { error: 'Access rules are not supported', params: { maxItems: 0 } }),
      ),
    ),
  }),
)

type RoleReference = z.infer<ReturnType<typeof roleReference>>

/** Returns Keystone's representation of an application credential, without the secret. */
function credentialView(c: Context<Service>, credential: ApplicationCredential): Shapes['ApplicationCredential'] {
  const { id, userId, projectId, name, description, unrestricted, expires, roles } = credential
  return {
    id,
    name,
    description,
    user_id: userId,
    project_id: projectId,
    system: null,
    expires_at: expires,
    unrestricted,
    roles: roles.map(roleProperties),
    ...linkTo(c, `users/${userId}/application_credentials/${id}`),
  }
}

/**
 * Returns the expiration in stored form, or null if there is none. Throws `timestamp` for a value that Keystone
 * rejects, which includes those with an offset, and `expirationPast`.
 */
function expirationOf(value: string | null | undefined, now: string): string | null {
  if (!value) return null
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z?$/.test(value)
  const expires = isTime ? parseTime(value) : null
  if (expires === null) throw identityFault('timestamp')
  if (expires <= now) throw identityFault('expirationPast')
  return expires
}

/** Returns the ids of the requested roles, or of all roles of the token. Throws `credentialInvalid` for other roles. */
function rolesFor(requested: readonly RoleReference[] | undefined, held: readonly RoleName[]): string[] {
  if (!requested?.length) return held.map(({ id }) => id)
  const matcherOf = ({ id, name }: RoleReference) =>
    id === undefined
      ? (role: RoleName) => foldName(role.name) === foldName(name ?? '')
      : (role: RoleName) => role.id === id
  const ids = requested.map((reference) => held.find(matcherOf(reference))?.id)
  const assigned = ids.filter((id) => id !== undefined)
  if (assigned.length < ids.length) {
    throw identityFault('credentialInvalid', UNASSIGNED)
  }
  return [...new Set(assigned)]
}

async function create({ c, backend, standing, param }: Call): Promise<Response> {
  const { value } = await readMember(c, 'application_credential', newCredential)
  const { project, roles } = standing
  if (!project) throw identityFault('credentialInvalid', 'The token is not scoped to a project')
  const secret = value.secret || newCredentialSecret()
  const credential = await createCredential(backend, {
    userId: param('user'),
    projectId: project.id,
    name: value.name,
    description: value.description ?? null,
    unrestricted: value.unrestricted ?? false,
    expires: expirationOf(value.expires_at, backend.now),
    roleIds: rolesFor(value.roles, roles),
    secret,
  })
  return json(c, 201, { application_credential: { ...credentialView(c, credential), secret } })
}

export const credentialOperations = [
  guarded('GET', PATH, 'identity:list_application_credentials', async ({ c, backend, param, query }) => {
    const credentials = await listCredentials(backend, param('user'), nameIn(query))
    return collection(
      c,
      'application_credentials',
      credentials.map((credential) => credentialView(c, credential)),
    )
  }),
  guarded('POST', PATH, 'identity:create_application_credential', create),
  guarded('GET', `${PATH}/:credential`, 'identity:get_application_credential', async ({ c, backend, param }) => {
    const credential = await findCredential(backend, param('user'), param('credential'))
    return json(c, 200, { application_credential: credentialView(c, credential) })
  }),
  guarded('DELETE', `${PATH}/:credential`, 'identity:delete_application_credential', async ({ c, backend, param }) => {
    await deleteCredential(backend, await findCredential(backend, param('user'), param('credential')))
    return noContent(c)
  }),
]
