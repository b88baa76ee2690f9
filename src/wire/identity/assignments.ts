/** Role assignments of the embedded identity: creating, deleting, checking and listing them. */
import type { Context } from 'hono'
import type { Shapes } from '../../shapes/index.ts'
import { assignRole, listAssignedRoles, listAssignments, requireAssignment } from '../../state/identity/assignments.ts'
import { unassignRole, type NamedAssignment } from '../../state/identity/assignments.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN } from '../../state/identity/names.ts'
import type { Service } from '../http/context.ts'
import { collection, identityUrl, noContent } from './answers.ts'
import { isOn } from './bodies.ts'
import { guarded, type Call } from './operations.ts'
import { roleView } from './roles.ts'

const GRANTS = '/v3/projects/:project/users/:user/roles'

const assignmentIn = ({ param }: Call) => ({
  userId: param('user'),
  projectId: param('project'),
  roleId: param('role'),
})

function assignmentView(c: Context<Service>, assignment: NamedAssignment, named: boolean): Shapes['RoleAssignment'] {
  const { user, project, role, prior } = assignment
  const base = identityUrl(c)
  const link = `${base}/projects/${project.id}/users/${user.id}/roles/${(prior ?? role).id}`
  const impliedBy = prior && { prior_role: `${base}/prior_role/${prior.id}/implies/${role.id}` }
  const inDomain = ({ id, name }: typeof user) => (named ? { id, name, domain: DEFAULT_DOMAIN } : { id })
  return {
    links: { assignment: link, ...impliedBy },
    scope: { project: inDomain(project) },
    user: inDomain(user),
    role: named ? role : { id: role.id },
  }
}

/** Throws, with Keystone's messages, if filters contradict each other. */
function requireConsistentFilters(query: URLSearchParams): void {
  const project = query.has('scope.project.id')
  const user = query.has('user.id')
  const group = query.has('group.id')
  if (query.has('scope.domain.id') && project) throw identityFault('invalid', 'Specify a domain or project, not both')
  if (user && group) throw identityFault('invalid', 'Specify a user or group, not both')
  if (isOn(query, 'effective') && group) {
    throw identityFault('invalid', 'Combining effective and group filter will always result in an empty list.')
  }
  if (isOn(query, 'include_subtree') && !project) {
    throw identityFault('invalid', 'scope.project.id must be specified if include_subtree is also specified')
  }
}

async function list({ c, backend, query }: Call): Promise<Response> {
  requireConsistentFilters(query)
  const filter = {
    userId: query.get('user.id') ?? undefined,
    projectId: query.get('scope.project.id') ?? undefined,
    roleId: query.get('role.id') ?? undefined,
  }
  // Roles are assigned only to users in projects and are not inherited, so these filters match nothing.
  const unsupported = ['group.id', 'scope.domain.id', 'scope.system', 'scope.OS-INHERIT:inherited_to']
  const assignments = unsupported.some((name) => query.has(name))
    ? []
    : await listAssignments(backend, filter, isOn(query, 'effective'))
  const named = isOn(query, 'include_names')
  return collection(
    c,
    'role_assignments',
    assignments.map((assignment) => assignmentView(c, assignment, named)),
  )
}

export const assignmentOperations = [
  guarded('GET', '/v3/role_assignments', 'identity:list_role_assignments', list),
  guarded('GET', GRANTS, 'identity:list_grants', async ({ c, backend, param }) => {
    const roles = await listAssignedRoles(backend, param('user'), param('project'))
    return collection(
      c,
      'roles',
      roles.map((role) => roleView(c, role)),
    )
  }),
  guarded('GET', `${GRANTS}/:role`, 'identity:check_grant', async (call) => {
    await requireAssignment(call.backend, assignmentIn(call))
    return noContent(call.c)
  }),
  guarded('PUT', `${GRANTS}/:role`, 'identity:create_grant', async (call) => {
    await assignRole(call.backend, assignmentIn(call))
    return noContent(call.c)
  }),
  guarded('DELETE', `${GRANTS}/:role`, 'identity:revoke_grant', async (call) => {
    await unassignRole(call.backend, assignmentIn(call))
    return noContent(call.c)
  }),
]
