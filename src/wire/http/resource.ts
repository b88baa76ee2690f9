/**
 * A resource is a path, the entity that the path names, and the operations on it. This file defines the order of
 * checks:
 *
 *     entity 404 → method 405 → Accept 406 → policy rule 403 → read-only 503 → content type 415 → body 400/413
 *     → operation
 *
 * Before them, `app.ts` checks the token (401) and the microversion (406), and {@link mount} rejects a path of another
 * project (403). Every operation must name its policy rule, so that none is left unprotected.
 *
 * The live check of the token may still be an open question of the sessions: it travels with the first read, and is
 * answered before a result of that is used (`state/database/questions.ts`).
 */
import type { Context, Hono } from 'hono'
import { permits, type Rule, type Target } from '../../access/policy.ts'
import type { Caller } from '../../caller.ts'
import type { Config } from '../../config.ts'
import { Fault, fault, type FailureName } from '../../faults.ts'
import type { AuditTarget } from '../../state/audit/events.ts'
import { recordRefusal } from '../../state/audit/refusals.ts'
import type { Backend } from '../../state/backend.ts'
import { consistencyFor, reaching, undated } from '../../state/connect.ts'
import type { KeyOperation } from '../../state/entities.ts'
import { isWritable, requireWritable } from '../../state/read-only.ts'
import { afterAnswers, lookNear, refuseWithoutMasterKeys, requirePermission } from '../gates.ts'
import { admitsJson, admitsKnownType } from './accept.ts'
import type { BodyReader } from './body.ts'
import type { Service } from './context.ts'
import { isGeneratedId, refsBelow, type Refs } from './refs.ts'
import { valuesIn, type NoParameters, type Parameters, type ValuesOf } from './query.ts'
import { send, type Answers, type ReplyOf } from './replies.ts'
import { queryOf } from './request-url.ts'
import { BOOKMARK_HEADER, setHeader } from './response.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A request on a resource, after authentication. */
export interface Call<Query = unknown> {
  readonly c: Context<Service>
  readonly caller: Caller
  readonly backend: Backend
  readonly config: Config
  readonly refs: Refs
  /** The query as it was sent. */
  readonly search: URLSearchParams
  /** The parameters that the operation declares; none before its rule was checked. */
  readonly query: Query
  readonly param: (name: string) => string
}

/** The rules of an operation that the request chooses between. */
export interface ChosenRule {
  readonly of: readonly Rule[]
  readonly choose: (call: Call) => Rule
}

export interface Operation<Subject, Body, Query extends Parameters, Said extends Answers> {
  /** The name of the operation, which failure messages contain: `Secret creation`. */
  readonly name: string
  readonly rule: Rule | ChosenRule
  /**
   * The accepted values of `Accept`: JSON (default), any common media type, or those the operation negotiates itself.
   */
  readonly accept?: 'known' | 'negotiated'
  /** Whether it is served while the service is read-only, although it changes something. */
  readonly evenReadOnly?: true
  readonly query?: Query
  readonly body?: BodyReader<Body>
  /** What it answers, by status. */
  readonly answers: Said
  /**
   * What it refuses, beside what this file, `find`, and the reader of the body refuse. A test fails on a failure that is
   * not declared, and on a declared one that nothing provokes.
   */
  readonly faults: readonly FailureName[]
  /** Marks a `POST` that changes nothing: it reads from where `GET` does, and may be run again on the primary. */
  readonly readsOnly?: true
  /** What the operation does with a key; the rule `secret:use` depends on it. */
  readonly use?: KeyOperation
  readonly answer: (
    call: Call<ValuesOf<Query>>,
    subject: Subject,
    body: Body,
  ) => Promise<ReplyOf<NoInfer<Said>>> | ReplyOf<NoInfer<Said>>
}

/** An operation whose types are erased but for its subject. */
export type AnyOperation<Subject> = Operation<Subject, never, Parameters, Answers>

export interface Resource<Subject extends Target = Target> {
  readonly path: string
  /**
   * The kind of the entity in the audit log. The default is that of the path's first parameter in {@link auditTargets}.
   */
  readonly auditTarget?: AuditTarget
  /** Finds the entity that the path names, or throws a 404. Without it, the target is the caller's project. */
  readonly find?: (call: Call) => Promise<Subject>
  /**
   * The entity as this isolate remembers it, for changes that are stored only over the row that they were made from.
   * What fails is done again from what `find` returns, so that nothing is refused by what is remembered.
   */
  readonly recall?: (call: Call) => Subject | undefined
  /** What `find` refuses. */
  readonly faults?: readonly FailureName[]
  /** Where `GET` reads from; the default is any replica. All other methods read from the primary. */
  readonly reads?: 'primary'
  readonly operations: Partial<Record<Method, AnyOperation<Subject>>>
}

/** Defines an operation. It infers the types of query, body and replies from what the operation says of them. */
export function operation<
  Subject extends Target,
  const Said extends Answers,
  Body = unknown,
  Query extends Parameters = NoParameters,
>(definition: Operation<Subject, Body, Query, Said>): AnyOperation<Subject> {
  return definition as unknown as AnyOperation<Subject>
}

/** Defines a resource. It checks that the operations take the type that `find` returns. */
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
    search: queryOf(c.req.url),
    query: {},
    param: (name) => c.req.param(name) ?? '',
  }
}

/** Returns the policy target of operations that do not concern a row: the caller's own project. */
export const projectTarget = ({ projectId }: Caller): Target => ({
  projectId,
  creatorId: null,
  private: false,
  readers: [],
})

function admits(kind: AnyOperation<Target>['accept'], accept: string | undefined): boolean {
  if (kind === 'negotiated') return true
  return kind === 'known' ? admitsKnownType(accept) : admitsJson(accept)
}

/**
 * Returns the call with its caller, operation and rule as the source of log entries and audit events, and with the rule for
 * an entity that has changed meanwhile.
 */
function attributed(call: Call, { name: operation, use }: AnyOperation<Target>, rule: Rule): Call {
  const { c, backend, caller } = call
  const initiator = { userId: caller.userId, projectId: caller.projectId }
  const source = { ...backend.source, initiator, operation, rule }
  c.set('source', source)
  const stillAllowed = (subject: Target) =>
    requirePermission(backend.db, () => permits(call.config.policy, rule, caller, subject, use))
  return { ...call, backend: { ...backend, source, stillAllowed } }
}

const actions = { GET: 'read', POST: 'create', PUT: 'update', PATCH: 'update', DELETE: 'delete' } as const

/** Kinds of entities in the audit log, by the name of the path's first parameter. */
const auditTargets: Readonly<Record<string, AuditTarget>> = {
  secret: 'secret',
  container: 'container',
  order: 'order',
  authority: 'certificate-authority',
  store: 'secret-store',
  project: 'quota',
}

interface Entity {
  readonly target: AuditTarget
  readonly id: string
}

/**
 * Returns the entity that the path names, or null if there is none. Clients can write any text into a path; text that is
 * not an id does not get into an audit event, which then names the caller's project.
 */
function entityOf({ param, caller }: Call, { path, auditTarget }: Resource): Entity | null {
  const colon = path.indexOf(':')
  if (colon < 0) return null
  const end = path.indexOf('/', colon)
  const name = path.slice(colon + 1, end < 0 ? undefined : end)
  const target = auditTarget ?? auditTargets[name]
  if (!target) return null
  return isGeneratedId(param(name)) ? { target, id: param(name) } : { target: 'project', id: caller.projectId }
}

const operationOf = ({ operations }: Resource, method: string) =>
  Object.hasOwn(operations, method) ? operations[method as Method] : undefined

/** The body of a request, which can be read only once although the request may be attempted twice. */
interface BodyOnce {
  body?: Promise<unknown>
}

/**
 * Checks the rule, or has it checked once the caller is known: a read of the caller's own project need not wait for that, so
 * that it is one round trip. A subject that was found without one is remembered, and nothing is made of it before the check.
 */
async function checkRule(call: Call, rule: Rule, subject: Target, mayWait: boolean, use?: KeyOperation) {
  const { db } = call.backend
  const isPermitted = () => permits(call.config.policy, rule, call.caller, subject, use)
  if (!mayWait || !db.isOpen) return requirePermission(db, isPermitted)
  db.checkAfterAnswers(() => {
    if (!isPermitted()) throw fault('notPermitted')
  })
}

async function attempt(c: Context<Service>, resource: Resource, once: BodyOnce, recalled?: Target): Promise<Response> {
  const { find, operations } = resource
  const chosen = operationOf(resource, c.req.method)
  if (chosen) c.set('operation', chosen.name)
  const call = callOf(c)
  const changes = c.req.method !== 'GET' && !chosen?.readsOnly
  if (changes) await refuseWithoutMasterKeys(call.backend)
  const subject = recalled ?? (find ? await find(call) : projectTarget(call.caller))
  const entity = entityOf(call, resource)
  if (find && entity) c.set('target', `${entity.target}/${entity.id}`)
  if (!chosen) {
    setHeader(c, 'Allow', Object.keys(operations).toSorted().join(', '))
    throw fault('methodNotAllowed')
  }
  if (!admits(chosen.accept, c.req.header('Accept'))) throw fault('notAcceptable')
  const rule = typeof chosen.rule === 'string' ? chosen.rule : chosen.rule.choose(call)
  const attributedCall = attributed(call, chosen, rule)
  try {
    await checkRule(call, rule, subject, !find && !changes, chosen.use)
    return await afterAnswers(call.backend, async () => {
      if (changes && !chosen.evenReadOnly) await requireWritable(call.backend)
      if (chosen.body) once.body ??= chosen.body(c)
      const body = await once.body
      const query = valuesIn(chosen.query ?? {}, call.search)
      return send(c, await chosen.answer({ ...attributedCall, query }, subject, body as never))
    })
  } catch (error) {
    // A 403 from a replica is not recorded, because the request is retried on the primary.
    const refused = error instanceof Fault && error.status === 403 && !attributedCall.backend.db.observed.lagging
    if (refused && entity && (await isWritable(call.backend))) {
      const action = chosen.readsOnly ? 'read' : actions[c.req.method as Method]
      // The session still asks the question that was answered with the refusal.
      const recording = undated(attributedCall.backend, 'first-primary')
      await recordRefusal(recording, { ...entity, action, projectId: subject.projectId, failure: '403' })
    }
    throw error
  }
}

/**
 * Makes a change from the remembered entity, in one round trip less. Returns undefined if it is not remembered, or if the
 * change was refused and thus not stored. With an open question a trip has to precede the change anyway.
 */
async function changeRecalled(
  { recall }: Resource,
  primary: Backend,
  call: Call,
  attempting: (backend: Backend, recalled: Target) => Promise<Response>,
): Promise<Response | undefined> {
  const recalled = primary.db.isOpen ? undefined : recall?.(call)
  if (!recalled) return undefined
  const backend = reaching(primary, 'first-primary')
  backend.db.observe({ bookmark: null, lagging: true })
  try {
    return await attempting(backend, recalled)
  } catch (error) {
    if (error instanceof Fault && error.status < 500) return undefined
    throw error
  }
}

/** Serves a request: near the caller if it changes nothing, otherwise at the primary. */
async function serve(c: Context<Service>, resource: Resource): Promise<Response> {
  const once: BodyOnce = {}
  const headers = c.get('headers')
  const attempting = (backend: Backend, recalled?: Target) => {
    c.set('backend', backend)
    // Without those that an attempt before has set.
    c.set('headers', { ...headers })
    return attempt(c, resource, once, recalled)
  }
  const primary = c.get('backend')
  const isRead = c.req.method === 'GET' || operationOf(resource, c.req.method)?.readsOnly === true
  if (isRead) c.set('readsOnly', true)
  const changed = isRead ? undefined : await changeRecalled(resource, primary, callOf(c), attempting)
  if (changed) return changed
  if (!isRead || resource.reads === 'primary') return afterAnswers(primary, () => attempting(primary))
  const consistency = consistencyFor(primary, c.req.header(BOOKMARK_HEADER))
  return lookNear(reaching(primary, consistency), primary, attempting)
}

/** Registers the resources under each prefix. Throws `foreignTenant` if `:tenant` is not the caller's project. */
export function mount(app: Hono<Service>, prefixes: readonly string[], resources: readonly Resource[]): void {
  for (const prefix of prefixes) {
    for (const mounted of resources) {
      app.all(prefix + mounted.path, async function serveResource(c) {
        const tenant = c.req.param('tenant')
        if (tenant !== undefined && tenant !== c.get('caller').projectId) {
          await c.get('backend').db.requireAnswers()
          throw fault('foreignTenant')
        }
        return serve(c, mounted)
      })
    }
  }
}
