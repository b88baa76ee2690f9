/**
 * A resource: a path, what it names, and what can be done with it. This file is the order of the checks:
 *
 *     look-up 404 → method 405 → Accept 406 → rule 403 → content type 415 → body 400/413 → operation
 *
 * (token 401 and microversion 406 come before, in `app.ts`, and a tenant path of another project is 403 at once). Every
 * operation names its rule, so none can be forgotten.
 */
import type { Context, Hono } from 'hono'
import { permits, type Rule, type Target } from '../../access/policy.ts'
import type { Caller } from '../../caller.ts'
import type { Config } from '../../config.ts'
import { Fault, fault } from '../../faults.ts'
import { recordEvent, type AuditTarget } from '../../state/audit/events.ts'
import type { Backend } from '../../state/backend.ts'
import { reaching } from '../../state/connect.ts'
import { consistencyOf } from '../../state/database/session.ts'
import { admitsJson, admitsKnownType } from './accept.ts'
import type { BodyReader } from './body.ts'
import type { Service } from './context.ts'
import { MOST_ID_CHARACTERS, refsBelow, type Refs } from './refs.ts'
import { queryOf } from './request-url.ts'
import { BOOKMARK_HEADER, setHeader } from './response.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One request on a resource, as far as it has been checked. */
export interface Call {
  readonly c: Context<Service>
  readonly caller: Caller
  readonly backend: Backend
  readonly config: Config
  readonly refs: Refs
  readonly query: URLSearchParams
  readonly param: (name: string) => string
}

export interface Operation<Subject, Body> {
  /** The operation's name in the words of failures: `Secret creation`. */
  readonly name: string
  readonly rule: Rule | ((call: Call) => Rule)
  /** Which `Accept` is admitted: JSON (default), any well-known type, or what the operation itself negotiates. */
  readonly accept?: 'known' | 'negotiated'
  readonly body?: BodyReader<Body>
  readonly answer: (call: Call, subject: Subject, body: Body) => Promise<Response> | Response
}

/** An operation whose kind of body is settled inside. */
export type AnyOperation<Subject> = Operation<Subject, never>

export interface Resource<Subject extends Target = Target> {
  readonly path: string
  /** What the path names, in the words of the audit log; left out: what {@link named} says of its first parameter. */
  readonly names?: AuditTarget
  /** Finds what the path names, or throws its 404. Left out: the path is a collection of the caller's project. */
  readonly find?: (call: Call) => Promise<Subject>
  /** Who answers the reads of `GET`; left out: any replica. Everything else is answered by the primary. */
  readonly reads?: 'primary'
  readonly operations: Partial<Record<Method, AnyOperation<Subject>>>
}

/** Ties the type of an operation's body to its reader. */
export function operation<Subject extends Target = Target, Body = unknown>(
  definition: Operation<Subject, Body>,
): AnyOperation<Subject> {
  return definition as unknown as AnyOperation<Subject>
}

/** Ties the type of what a resource finds to its operations. */
export function resource<Subject extends Target = Target>(definition: Resource<Subject>): Resource {
  return definition as unknown as Resource
}

function callOf(c: Context<Service>): Call {
  return {
    c,
    caller: c.get('caller'),
    backend: c.get('backend'),
    config: c.get('config'),
    refs: refsBelow(c.get('base'), c.req.param('tenant')),
    query: queryOf(c.req.url),
    param: (name) => c.req.param(name) ?? '',
  }
}

/** What a rule is asked about where it is not about a row: the caller's own project. */
export const projectTarget = ({ projectId }: Caller): Target => ({
  projectId,
  creatorId: null,
  private: false,
  readers: [],
})

function admits(kind: Operation<Target, never>['accept'], accept: string | undefined): boolean {
  if (kind === 'negotiated') return true
  return kind === 'known' ? admitsKnownType(accept) : admitsJson(accept)
}

/** The call, for what its caller does in this operation by this rule. */
function attributed(call: Call, operation: string, rule: Rule): Call {
  const { c, backend, caller } = call
  const initiator = { userId: caller.userId, projectId: caller.projectId }
  const source = { ...backend.source, initiator, operation, rule }
  c.set('source', source)
  return { ...call, backend: { ...backend, source } }
}

const actions = { GET: 'read', POST: 'create', PUT: 'update', PATCH: 'update', DELETE: 'delete' } as const

/** What the first parameter of a path names. */
const named: Readonly<Record<string, AuditTarget>> = {
  secret: 'secret',
  container: 'container',
  order: 'order',
  authority: 'certificate-authority',
  store: 'secret-store',
  project: 'quota',
}

/** The thing that the path names, if it names one. Events are sealed many at a time, so that none has a longer id. */
function nameOf(
  { param }: Call,
  { path, names }: Resource,
): { readonly target: AuditTarget; readonly id: string } | null {
  const colon = path.indexOf(':')
  if (colon < 0) return null
  const end = path.indexOf('/', colon)
  const name = path.slice(colon + 1, end < 0 ? undefined : end)
  const target = names ?? named[name]
  const id = param(name)
  return target && id.length <= MOST_ID_CHARACTERS ? { target, id } : null
}

async function attempt(c: Context<Service>, resource: Resource): Promise<Response> {
  const { find, operations } = resource
  const chosen = Object.hasOwn(operations, c.req.method) ? operations[c.req.method as Method] : undefined
  if (chosen) c.set('operation', chosen.name)
  const call = callOf(c)
  const subject = find ? await find(call) : projectTarget(call.caller)
  const entity = nameOf(call, resource)
  if (find && entity) c.set('target', `${entity.target}/${entity.id}`)
  if (!chosen) {
    setHeader(c, 'Allow', Object.keys(operations).toSorted().join(', '))
    throw fault('methodNotAllowed')
  }
  if (!admits(chosen.accept, c.req.header('Accept'))) throw fault('notAcceptable')
  const rule = typeof chosen.rule === 'function' ? chosen.rule(call) : chosen.rule
  const ruled = attributed(call, chosen.name, rule)
  try {
    if (!permits(call.config.policy, rule, call.caller, subject)) throw fault('notPermitted')
    const body = chosen.body ? await chosen.body(c) : undefined
    return await chosen.answer(ruled, subject, body as never)
  } catch (error) {
    // What a replica refuses is asked again at the primary.
    const refused = error instanceof Fault && error.status === 403 && !ruled.backend.db.observed.lagging
    if (refused && entity) {
      const action = actions[c.req.method as Method]
      await recordEvent(ruled.backend, { ...entity, action, projectId: subject.projectId, failure: '403' })
    }
    throw error
  }
}

/**
 * Serves a request. A replica may lack what was created or granted a moment ago, or a new table: what fails there is asked
 * again at the primary before it is an answer.
 */
async function serve(c: Context<Service>, resource: Resource): Promise<Response> {
  if (c.req.method !== 'GET' || resource.reads === 'primary') return attempt(c, resource)
  const primary = c.get('backend')
  const near = reaching(primary, consistencyOf(c.req.header(BOOKMARK_HEADER)))
  c.set('backend', near)
  try {
    return await attempt(c, resource)
  } catch (error) {
    if (!near.db.observed.lagging) throw error
    c.set('backend', primary)
    return attempt(c, resource)
  }
}

/** Serves the resources below each of the prefixes; one that names `:tenant` must name the caller's project. */
export function mount(app: Hono<Service>, prefixes: readonly string[], resources: readonly Resource[]): void {
  for (const prefix of prefixes) {
    for (const one of resources) {
      app.all(prefix + one.path, async function serveResource(c) {
        const tenant = c.req.param('tenant')
        if (tenant !== undefined && tenant !== c.get('caller').projectId) throw fault('foreignTenant')
        return serve(c, one)
      })
    }
  }
}
