/** Users of the embedded identity. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import { attempting } from '../../access/attempts.ts'
import { verifyPassword } from '../../crypto/password.ts'
import type { Shapes } from '../../shapes/index.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN } from '../../state/identity/names.ts'
import { createUser, deleteUser, findPasswordHash, findUser, listUsers } from '../../state/identity/users.ts'
import { replacePassword, updateUser, type IdentityUser } from '../../state/identity/users.ts'
import type { Service } from '../http/context.ts'
import { closedObject, object, secretText, textOrNull } from '../http/schema.ts'
import { collection, json, linkTo, noContent } from './answers.ts'
import { commonMembers, extraOf, inDefaultDomain, nameIn, nameOf } from './bodies.ts'
import { readChange, readMember, stateOf } from './bodies.ts'
import { guarded, type Call } from './operations.ts'
import { answerProjects } from './projects.ts'

const MAX_NAME_CHARACTERS = 255

const members = () => ({
  ...commonMembers(),
  default_project_id: z.optional(textOrNull({ min: 1, max: 64 })),
  password: z.optional(z.nullable(secretText())),
})
/** What a new user has. */
export const newUser = z.lazy(() => object({ ...members(), name: nameOf(MAX_NAME_CHARACTERS) }))
/** What changes of a user have. */
export const userChange = z.lazy(() => object({ ...members(), name: z.optional(nameOf(MAX_NAME_CHARACTERS)) }))
/** A user's own change of password. */
export const passwordChange = z.lazy(() => closedObject({ original_password: secretText(), password: secretText() }))
const known = () => ['name', 'links', 'extra', 'password_expires_at', ...Object.keys(members())]

/** Returns Keystone's representation of a user. */
function userView(c: Context<Service>, user: IdentityUser): Shapes['User'] {
  const { id, name, enabled, defaultProjectId, extra } = user
  return {
    ...extra,
    id,
    name,
    domain_id: DEFAULT_DOMAIN.id,
    enabled,
    ...(defaultProjectId !== null && { default_project_id: defaultProjectId }),
    password_expires_at: null,
    options: {},
    ...linkTo(c, `users/${id}`),
  }
}

/** Filters of Keystone that match nobody: no user is of another identity provider, and no password expires. */
const matchingNobody = ['idp_id', 'password_expires_at', 'protocol_id', 'unique_id'] as const

async function list({ c, backend, query }: Call): Promise<Response> {
  const filter = { name: nameIn(query), enabled: stateOf(query, 'enabled') }
  const matchesNobody = !inDefaultDomain(query) || matchingNobody.some((name) => query.has(name))
  const users = matchesNobody ? [] : await listUsers(backend, filter)
  return collection(
    c,
    'users',
    users.map((user) => userView(c, user)),
  )
}

async function create({ c, backend }: Call): Promise<Response> {
  const { value, given } = await readMember(c, 'user', newUser)
  const domain = value.domain_id ?? DEFAULT_DOMAIN.id
  if (domain !== DEFAULT_DOMAIN.id) throw identityFault('notFound', 'domain', domain)
  const user = await createUser(backend, {
    name: value.name,
    password: value.password ?? null,
    enabled: value.enabled ?? true,
    defaultProjectId: value.default_project_id ?? null,
    extra: extraOf(given, known()),
  })
  return json(c, 201, { user: userView(c, user) })
}

async function update({ c, backend, param }: Call): Promise<Response> {
  const id = param('user')
  const { value, given } = await readChange(c, 'user', userChange, id)
  const { name, password, enabled, default_project_id: defaultProjectId } = value
  const extra = extraOf(given, known())
  const user = await updateUser(backend, id, { name, password, enabled, defaultProjectId, extra })
  return json(c, 200, { user: userView(c, user) })
}

/**
 * A user's own change of password: it requires the old one, and invalidates every token issued so far. Whoever guesses
 * the old one with a token of the user is slowed as at a log-in.
 */
async function changePassword({ c, backend, param }: Call): Promise<Response> {
  const { value } = await readMember(c, 'user', passwordChange)
  const id = param('user')
  const hash = await attempting(backend, { account: `user ${id}`, label: id }, async () => {
    const stored = await findPasswordHash(backend, id)
    const matches = await verifyPassword(value.original_password, stored)
    return matches && stored !== undefined ? stored : null
  })
  await replacePassword(backend, id, hash, value.password)
  return noContent(c)
}

export const userOperations = [
  guarded('GET', '/v3/users', 'identity:list_users', list),
  guarded('POST', '/v3/users', 'identity:create_user', create),
  guarded('GET', '/v3/users/:user', 'identity:get_user', async ({ c, backend, param }) =>
    json(c, 200, { user: userView(c, await findUser(backend, param('user'))) }),
  ),
  guarded('PATCH', '/v3/users/:user', 'identity:update_user', update),
  guarded('DELETE', '/v3/users/:user', 'identity:delete_user', async ({ c, backend, param }) => {
    await deleteUser(backend, param('user'))
    return noContent(c)
  }),
  guarded('POST', '/v3/users/:user/password', 'identity:change_password', changePassword),
  guarded('GET', '/v3/users/:user/projects', 'identity:list_user_projects', (call) =>
    answerProjects(call, call.param('user')),
  ),
]
