/** Projects of the embedded identity. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import type { Shapes } from '../../shapes/index.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN } from '../../state/identity/names.ts'
import { createProject, deleteProject, findProject } from '../../state/identity/projects.ts'
import { listProjects, updateProject, type IdentityProject } from '../../state/identity/projects.ts'
import type { Service } from '../http/context.ts'
import { flag, list, object, text, textOrNull } from '../http/schema.ts'
import { collection, json, linkTo, noContent } from './answers.ts'
import { commonMembers, extraOf, inDefaultDomain, isOn, nameIn, nameOf } from './bodies.ts'
import { readChange, readMember, stateOf } from './bodies.ts'
import { guarded, type Call } from './operations.ts'

const MAX_NAME_CHARACTERS = 64

const members = () => ({
  ...commonMembers(),
  description: z.optional(textOrNull()),
  parent_id: z.optional(textOrNull({ min: 1, max: 64 })),
  is_domain: z.optional(
    flag().check(z.refine((value) => !value, { error: 'Domains cannot be made', params: { const: false } })),
  ),
  tags: z.optional(
    list(text()).check(
      z.refine((tags) => tags.length === 0, { error: 'Tags are not supported', params: { maxItems: 0 } }),
    ),
  ),
})
/** What a new project has. */
export const newProject = z.lazy(() => object({ ...members(), name: nameOf(MAX_NAME_CHARACTERS) }))
/** What changes of a project have. */
export const projectChange = z.lazy(() => object({ ...members(), name: z.optional(nameOf(MAX_NAME_CHARACTERS)) }))
const known = () => ['name', 'links', 'extra', ...Object.keys(members())]

function requireTopLevel(parentId: string | null | undefined): void {
  if (typeof parentId !== 'string' || parentId === DEFAULT_DOMAIN.id) return
  throw identityFault('invalidField', 'parent_id', 'Projects below projects are not supported')
}

/** Returns Keystone's representation of a project. */
function projectView(c: Context<Service>, project: IdentityProject): Shapes['Project'] {
  const { id, name, description, enabled, administrative, extra } = project
  return {
    ...extra,
    id,
    name,
    domain_id: DEFAULT_DOMAIN.id,
    description,
    enabled,
    parent_id: DEFAULT_DOMAIN.id,
    is_domain: false,
    tags: [],
    options: administrative ? { immutable: true } : {},
    ...linkTo(c, `projects/${id}`),
  }
}

/**
 * Returns the projects that match the filters of the query. No project is a domain, has tags, or has a parent other
 * than the default domain, so filters for these match nothing. `ofUser` limits the list to the projects of a user.
 */
export async function answerProjects({ c, backend, query }: Call, ofUser?: string): Promise<Response> {
  const parent = query.get('parent_id') ?? DEFAULT_DOMAIN.id
  const unsupported =
    parent !== DEFAULT_DOMAIN.id || isOn(query, 'is_domain') || query.has('tags') || query.has('tags-any')
  const filter = { name: nameIn(query), enabled: stateOf(query, 'enabled'), ofUser }
  const projects = unsupported || !inDefaultDomain(query) ? [] : await listProjects(backend, filter)
  return collection(
    c,
    'projects',
    projects.map((project) => projectView(c, project)),
  )
}

async function create({ c, backend }: Call): Promise<Response> {
  const { value, given } = await readMember(c, 'project', newProject)
  const domain = value.domain_id ?? DEFAULT_DOMAIN.id
  if (domain !== DEFAULT_DOMAIN.id) throw identityFault('invalid', `Could not find domain: ${domain}.`)
  requireTopLevel(value.parent_id)
  const project = await createProject(backend, {
    name: value.name,
    description: value.description ?? '',
    enabled: value.enabled ?? true,
    extra: extraOf(given, known()),
  })
  return json(c, 201, { project: projectView(c, project) })
}

async function update({ c, backend, param }: Call): Promise<Response> {
  const id = param('project')
  const { value, given } = await readChange(c, 'project', projectChange, id)
  requireTopLevel(value.parent_id)
  const { name, enabled } = value
  const description = value.description === null ? '' : value.description
  const project = await updateProject(backend, id, { name, enabled, description, extra: extraOf(given, known()) })
  return json(c, 200, { project: projectView(c, project) })
}

export const projectOperations = [
  guarded('GET', '/v3/projects', 'identity:list_projects', (call) => answerProjects(call)),
  guarded('POST', '/v3/projects', 'identity:create_project', create),
  guarded('GET', '/v3/projects/:project', 'identity:get_project', async ({ c, backend, param }) =>
    json(c, 200, { project: projectView(c, await findProject(backend, param('project'))) }),
  ),
  guarded('PATCH', '/v3/projects/:project', 'identity:update_project', update),
  guarded('DELETE', '/v3/projects/:project', 'identity:delete_project', async ({ c, backend, param }) => {
    await deleteProject(backend, param('project'))
    return noContent(c)
  }),
]
