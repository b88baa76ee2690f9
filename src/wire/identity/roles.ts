/** Roles of the embedded identity, and the rules by which roles imply others. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import type { Shapes } from '../../shapes/index.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { createRole, deleteRole, findRole, impliedRoles, listRoles } from '../../state/identity/roles.ts'
import { updateRole, type IdentityRole } from '../../state/identity/roles.ts'
import type { Service } from '../http/context.ts'
import { object, textOrNull } from '../http/schema.ts'
import { collection, json, linkTo, noContent } from './answers.ts'
import { commonMembers, nameIn, nameOf, readChange, readMember } from './bodies.ts'
import { guarded, type Call } from './operations.ts'

const MAX_NAME_CHARACTERS = 255

const members = () => ({ ...commonMembers(), description: z.optional(textOrNull()) })
/** What a new role has. */
export const newRole = z.lazy(() => object({ ...members(), name: nameOf(MAX_NAME_CHARACTERS) }))
/** What changes of a role have. */
export const roleChange = z.lazy(() => object({ ...members(), name: z.optional(nameOf(MAX_NAME_CHARACTERS)) }))

/** Returns Keystone's representation of a role without `links`. */
export function roleProperties({ id, name, description, immutable }: IdentityRole) {
  return { id, name, domain_id: null, description, options: immutable ? { immutable: true } : {} }
}

/** Returns Keystone's representation of a role. */
export function roleView(c: Context<Service>, role: IdentityRole): Shapes['Role'] {
  return { ...roleProperties(role), ...linkTo(c, `roles/${role.id}`) }
}

async function list({ c, backend, query }: Call): Promise<Response> {
  // Roles do not belong to domains, so a domain filter matches nothing.
  const roles = query.has('domain_id') ? [] : await listRoles(backend, nameIn(query))
  return collection(
    c,
    'roles',
    roles.map((role) => roleView(c, role)),
  )
}

async function create({ c, backend }: Call): Promise<Response> {
  const { value } = await readMember(c, 'role', newRole)
  if (typeof value.domain_id === 'string') {
    throw identityFault('invalidField', 'domain_id', 'Roles of a domain are not supported')
  }
  const role = await createRole(backend, value.name, value.description ?? null)
  return json(c, 201, { role: roleView(c, role) })
}

async function update({ c, backend, param }: Call): Promise<Response> {
  const id = param('role')
  const { value } = await readChange(c, 'role', roleChange, id)
  const { name, description } = value
  return json(c, 200, { role: roleView(c, await updateRole(backend, id, { name, description })) })
}

async function listInferences({ c, backend }: Call): Promise<Response> {
  const roles = await listRoles(backend)
  const named = (wanted: string) =>
    roles.filter(({ name }) => name === wanted).map(({ id, name }) => ({ id, name, ...linkTo(c, `roles/${id}`) }))
  const inferences = Object.entries(impliedRoles).flatMap(([prior, implied]) =>
    named(prior).map((role) => ({ prior_role: role, implies: named(implied) })),
  )
  return json(c, 200, { role_inferences: inferences })
}

export const roleOperations = [
  guarded('GET', '/v3/roles', 'identity:list_roles', list),
  guarded('POST', '/v3/roles', 'identity:create_role', create),
  guarded('GET', '/v3/roles/:role', 'identity:get_role', async ({ c, backend, param }) =>
    json(c, 200, { role: roleView(c, await findRole(backend, param('role'))) }),
  ),
  guarded('PATCH', '/v3/roles/:role', 'identity:update_role', update),
  guarded('DELETE', '/v3/roles/:role', 'identity:delete_role', async ({ c, backend, param }) => {
    await deleteRole(backend, param('role'))
    return noContent(c)
  }),
  guarded('GET', '/v3/role_inferences', 'identity:list_role_inference_rules', listInferences),
]
