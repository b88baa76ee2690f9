/**
 * The way of a call through a service binding, from its untrusted arguments to an answer of plain data:
 *
 *     configuration → arguments and props → caller (401) → look-up with its rule (403)
 *
 * The live check of the caller travels with the look-up. What a replica or the memory of this isolate refuses, and what they
 * may know too late, is asked again at the primary.
 *
 * Nothing is thrown across the binding, because what the other side catches depends on its compatibility date.
 */
import * as z from 'zod/mini'
import { callerOfEdgeCredential } from '../access/edge-credentials.ts'
import type { Caller } from '../caller.ts'
import type { Answered, LookUp, Refused } from '../client/contract.ts'
import type { Config, Environment } from '../config.ts'
import { Fault, fault, titles } from '../faults.ts'
import { logLater } from '../log.ts'
import type { AcceptedAge, Backend } from '../state/backend.ts'
import { connect, consistencyFor, reaching, requireAdmission } from '../state/connect.ts'
import { byService } from '../state/scope.ts'
import { formatTime } from '../times.ts'
import { callerOfToken, configOf, lookNear } from './gates.ts'
import { statedAge, unstatedAge } from './http/accepted-age.ts'
import { isUnexpected, logUnexpectedIn } from './http/failures.ts'

const MOST_TOKEN_CHARACTERS = 16_384
/** Bookmarks of D1 have 60 characters. */
const MOST_BOOKMARK_CHARACTERS = 128
/** Entries of the list that narrows a binding, and characters of each: an id, or a name as secrets may have it. */
const MOST_LISTED = 1_000
const MOST_LISTED_CHARACTERS = 255

/**
 * The `props` in the configuration of the calling Worker. An unknown member is refused, so that a list with a misspelt
 * name does not count as none.
 */
const bindingProps = z.lazy(() =>
  z.strictObject({
    /** The id of the application credential that the binding stands for. */
    credential: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
    /** Ids and names; no other secret can be looked up. */
    secrets: z.optional(
      z.array(z.string().check(z.minLength(1), z.maxLength(MOST_LISTED_CHARACTERS))).check(z.maxLength(MOST_LISTED)),
    ),
    /** What the binding is for, as it appears in logs. */
    application: z.optional(z.string().check(z.regex(/^[\w .:@/-]{1,64}$/))),
  }),
)
export type BindingProps = z.infer<typeof bindingProps>

/** Members of later versions are ignored: without them an answer is at most newer than it had to be. */
const lookUp = z.lazy(() =>
  z.object({
    fresh: z.optional(z.boolean()),
    maxAge: z.optional(z.int().check(z.gte(0))),
    since: z.optional(z.string().check(z.maxLength(MOST_BOOKMARK_CHARACTERS))),
    token: z.optional(z.string().check(z.minLength(1), z.maxLength(MOST_TOKEN_CHARACTERS))),
  }),
)

/** A call after authentication. */
export interface BindingCall {
  readonly backend: Backend
  readonly config: Config
  readonly caller: Caller
  /** The credential that the caller is known by; undefined: by a token. */
  readonly credential: string | undefined
  readonly props: BindingProps
}

/** What the log says of a call; the way fills it in as it goes. */
interface Noted {
  log: Config['log']
  backend: Backend | null
  props: BindingProps
  caller: Caller | null
}

/** Where the call came from: the runtime delivers `props` as the calling Worker's configuration has them. */
export interface Binding {
  readonly env: Environment
  readonly props: unknown
}

/** Parses a value from another Worker; `refuse` makes the failure from the path of the first violation. */
export function checked<Value>(schema: z.ZodMiniType<Value>, given: unknown, refuse: (path: string) => Fault): Value {
  const result = z.safeParse(schema, given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  throw refuse([...(issue?.path ?? []), ...unknown].map(String).join('.') || 'not an object')
}

/**
 * Returns the caller: of the token if the call has one, otherwise of the credential in the props. Without either it is
 * nobody. Throws `unauthenticated`, `projectRequired` and `edgeCredentialsOff`.
 */
async function callerOf(config: Config, backend: Backend, props: BindingProps, { token }: LookUp): Promise<Caller> {
  if (token !== undefined) return callerOfToken(config, backend, token)
  if (props.credential === undefined) throw fault('unauthenticated')
  if (!config.edgeCredentials) throw fault('edgeCredentialsOff')
  return callerOfEdgeCredential(backend, props.credential)
}

/** How old an answer the call accepts. */
function acceptedBy({ fresh, maxAge }: LookUp, config: Config): AcceptedAge {
  if (fresh === true) return statedAge(0, config)
  return maxAge === undefined ? unstatedAge(config) : statedAge(maxAge, config)
}

/** Returns the failure as data. Unexpected ones are logged, and those that are no {@link Fault} become `unexpected`. */
export function refusalOf(error: unknown, operation: string): Refused {
  if (isUnexpected(error)) logUnexpectedIn(operation, 'KeyManager', error)
  const failed = error instanceof Fault ? error : fault('unexpected')
  const { status, failure, retrySeconds: retryAfter } = failed
  const description = failed.describe(operation) || titles[status]
  return { ok: false, status, failure, description, ...(retryAfter !== undefined && { retryAfter }) }
}

/** Logs the call as `logRequest` logs requests. */
function logCall(method: string, operation: string, noted: Noted, outcome: Answered<unknown>, started: number): void {
  const { backend, caller, props } = noted
  logLater({
    event: 'request',
    request_id: backend?.source.requestId ?? null,
    entrypoint: 'KeyManager',
    method,
    application: props.application ?? null,
    user: caller?.userId ?? null,
    project: caller?.projectId ?? null,
    operation,
    status: outcome.ok ? 200 : outcome.status,
    failure: outcome.ok ? null : outcome.failure,
    milliseconds: Date.now() - started,
  })
}

async function run<Value>(
  { env, props: given }: Binding,
  options: unknown,
  operation: string,
  noted: Noted,
  look: (call: BindingCall) => Promise<Value>,
): Promise<Value> {
  const config = await configOf(env)
  noted.log = config.log
  const props = checked(bindingProps, given ?? {}, (path) => fault('bindingProps', path))
  noted.props = props
  const { application } = props
  const source = {
    ...byService(operation),
    requestId: `req-${crypto.randomUUID()}`,
    ...(application && { application }),
  }
  const looked = checked(lookUp, options ?? {}, (path) => fault('argument', path))
  const primary = connect(env, config, formatTime(Date.now()), source, acceptedBy(looked, config))
  noted.backend = primary
  const caller = await callerOf(config, primary, props, looked)
  // Read when an event is recorded: before the live check is answered, the caller of a credential is not known.
  const initiator = {
    get userId() {
      return caller.userId
    },
    get projectId() {
      return caller.projectId
    },
  }
  const credential = looked.token === undefined ? props.credential : undefined
  const looking = (backend: Backend) =>
    look({ config, props, caller, credential, backend: { ...backend, source: { ...source, initiator } } })
  const near = reaching(primary, consistencyFor(primary, looked.since))
  const looks = lookNear(near, primary, looking)
  const value = await looks.finally(() => (noted.caller = primary.db.isOpen ? null : caller))
  // As over HTTP, no value leaves an isolate that is not admitted to its database.
  await requireAdmission(primary)
  return value
}

/** Runs a method of the entrypoint; it never throws. `options` is the caller's {@link LookUp}. */
export async function answering<Value>(
  binding: Binding,
  { method, operation, options }: { readonly method: string; readonly operation: string; readonly options: unknown },
  look: (call: BindingCall) => Promise<Value>,
): Promise<Answered<Value>> {
  const started = Date.now()
  const noted: Noted = { log: 'problems', backend: null, props: {}, caller: null }
  let answer: Answered<Value>
  try {
    answer = { ok: true, value: await run(binding, options, operation, noted, look) }
  } catch (error) {
    answer = refusalOf(error, operation)
  }
  if (noted.log === 'requests') logCall(method, operation, noted, answer, started)
  return answer
}
