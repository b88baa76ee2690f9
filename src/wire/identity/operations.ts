/**
 * Operations of the identity API: a method, a path, a policy rule and a handler. This file defines the order of checks:
 *
 *     path 404 → method 405 → token 401 → target of the rule 404 → rule 403 → body 413/400 → operation
 *
 * Each operation names its policy rule or is declared public, so that none is left unprotected.
 */
import type { Context, Hono } from 'hono'
import { currentStanding, type Standing } from '../../access/embedded.ts'
import { evictLiveChecks } from '../../access/live-checks.ts'
import { permitsIdentity, type IdentityRule, type IdentityTarget } from '../../access/identity-policy.ts'
import type { Backend } from '../../state/backend.ts'
import { identityFault, readOnlyIdentity } from '../../state/identity/faults.ts'
import { readOnlyReason } from '../../state/read-only.ts'
import type { Service } from '../http/context.ts'
import { mountAbsent } from './absent.ts'
import { answerMethodNotAllowed, answerUnknownPath } from './answers.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A request without authentication. */
export interface PublicCall {
  readonly c: Context<Service>
  readonly backend: Backend
  readonly query: URLSearchParams
  /** Returns the path parameter with this name, or the empty string if there is none. */
  readonly param: (name: string) => string
}

export interface Call extends PublicCall {
  /** The user, the project and the roles of the caller's token. */
  readonly standing: Standing
}

export interface IdentityOperation {
  readonly method: Method
  readonly path: string
  readonly rule: IdentityRule | 'public'
  readonly answer: (c: Context<Service>) => Promise<Response>
}

type Answer = Promise<Response> | Response

function publicCall(c: Context<Service>): PublicCall {
  const query = new URL(c.req.url).searchParams
  return { c, backend: c.var.backend, query, param: (name) => c.req.param(name) ?? '' }
}

/** Defines an operation that requires no token. */
export function open(method: Method, path: string, answer: (call: PublicCall) => Answer): IdentityOperation {
  return { method, path, rule: 'public', answer: async (c) => answer(publicCall(c)) }
}

/** Defines an operation whose policy target is the user and project in its path, as `:user` and `:project`. */
export function guarded(
  method: Method,
  path: string,
  rule: IdentityRule,
  answer: (call: Call) => Answer,
): IdentityOperation {
  const named = ({ c }: Call) => ({ userId: c.req.param('user'), projectId: c.req.param('project') })
  return guardedBy(method, path, rule, named, answer)
}

/** Defines an operation whose policy target is what `find` returns; `find` throws a 404 if it does not exist. */
export function guardedBy<Target extends IdentityTarget>(
  method: Method,
  path: string,
  rule: IdentityRule,
  find: (call: Call) => Target | Promise<Target>,
  answer: (call: Call, target: Target) => Answer,
): IdentityOperation {
  return {
    method,
    path,
    rule,
    answer: async (c) => {
      const call = attributed({ ...publicCall(c), standing: await authenticate(c) }, rule)
      const target = await find(call)
      authorize(rule, call.standing, target)
      if (method === 'GET') return answer(call, target)
      const reason = await readOnlyReason(call.backend)
      if (reason !== null) throw readOnlyIdentity(reason)
      try {
        return await answer(call, target)
      } finally {
        evictLiveChecks()
      }
    },
  }
}

/**
 * Returns the call with its caller as the initiator of audit events. The name of the rule is also that of the
 * operation.
 */
function attributed(call: Call, rule: IdentityRule): Call {
  const { c, backend, standing } = call
  const initiator = { userId: standing.user.id, projectId: standing.project?.id ?? null }
  const source = { ...backend.source, initiator, operation: rule, rule }
  c.set('source', source)
  return { ...call, backend: { ...backend, source } }
}

/**
 * Returns the current state of the caller's token. It bypasses the cache, so that changes of rights apply immediately.
 */
async function authenticate(c: Context<Service>): Promise<Standing> {
  const token = c.req.header('X-Auth-Token')
  const standing = token ? await currentStanding(token, c.var.backend) : null
  if (!standing) throw identityFault('unauthenticated')
  return standing
}

/** The operations that require an unrestricted application credential. */
const credentialManagement: ReadonlySet<IdentityRule> = new Set([
  'identity:create_application_credential',
  'identity:delete_application_credential',
])

function authorize(rule: IdentityRule, standing: Standing, target: IdentityTarget): void {
  const { user, project, administrator, credential } = standing
  const restricted = credential !== null && !credential.unrestricted
  const caller = { userId: user.id, projectId: project?.id ?? null, administrator, restricted }
  if (permitsIdentity(rule, caller, target)) return
  throw identityFault(
    'notPermitted',
    restricted && credentialManagement.has(rule)
      ? "Using method 'application_credential' is not allowed for managing additional application credentials."
      : rule,
  )
}

/**
 * Registers the operations, then what this identity has not (501), 405 for other methods of the operations' paths, and
 * 404 for all other paths.
 */
export function mountOperations(app: Hono<Service>, operations: readonly IdentityOperation[]): void {
  const methods = new Map<string, string[]>()
  for (const { method, path, answer } of operations) {
    app.on(method, path, answer)
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'GET' ? ['GET', 'HEAD'] : [method])])
  }
  mountAbsent(app)
  for (const [path, allowed] of methods) app.all(path, (c) => answerMethodNotAllowed(c, [...allowed, 'OPTIONS']))
  app.all('*', answerUnknownPath)
}
