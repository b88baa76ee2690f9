/**
 * The closed list of failures of the embedded identity, each with its status and its message.
 *
 * The messages are Keystone's own (22.0), because clients show them and some match on them. No message contains a
 * password, or which part of a log-in was wrong.
 */

import { READ_ONLY_RETRY_SECONDS } from '../../faults.ts'

/** Reason phrases of the statuses that the identity answers with. */
export const identityTitles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const

type IdentityStatus = keyof typeof identityTitles

/** The kinds of entities in messages, by Keystone's names. */
type IdentityNoun =
  'user' | 'project' | 'role' | 'domain' | 'service' | 'endpoint' | 'region' | 'Application Credential'

const MALFORMED =
  'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.'

const conflict = (type: string, details: string) => `Conflict occurred attempting to store ${type} - ${details}.`
const immutable = (verb: string, noun: IdentityNoun, id: string) =>
  `Unable to ${verb} immutable ${noun} resource: \`${id}. Set resource option "immutable" to false first.`

const failures = {
  invalid: [400, (message: string) => message],
  invalidField: [400, (field: string, reason: string) => `Invalid input for field '${field}': ${reason}`],
  expected: [400, (attribute: string, target: string) => `Expecting to find ${attribute} in ${target}. ${MALFORMED}`],
  illFormed: [400, () => 'The request body has text that is not well-formed Unicode: half of a surrogate pair.'],
  weakPassword: [
    400,
    (least: string) => `The password does not match the requirements: it must have at least ${least} characters.`,
  ],
  timestamp: [400, () => `Timestamp not in expected format. ${MALFORMED}`],
  expirationPast: [400, () => `The 'expires_at' must not be before now. ${MALFORMED}`],
  credentialInvalid: [400, (detail: string) => `Invalid application credential: ${detail}`],
  unauthenticated: [401, () => 'The request you have made requires authentication.'],
  unsupportedMethod: [401, () => 'Attempted to authenticate with an unsupported method.'],
  credentialScope: [
    401,
    () => 'Error authenticating with application credential: Application credentials cannot request a scope.',
  ],
  notPermitted: [403, (action: string) => `You are not authorized to perform the requested action: ${action}.`],
  noCatalog: [403, () => 'You are not authorized to perform the requested action.'],
  immutableUpdate: [403, (noun: IdentityNoun, id: string) => immutable('update', noun, id)],
  immutableDelete: [403, (noun: IdentityNoun, id: string) => immutable('delete', noun, id)],
  notFound: [404, (noun: IdentityNoun, id: string) => `Could not find ${noun}: ${id}.`],
  assignmentNotFound: [
    404,
    (role: string, user: string, project: string) =>
      `Could not find role assignment with role: ${role}, user or group: ${user}, project, domain, or system: ${project}.`,
  ],
  tokenNotFound: [404, () => 'Failed to validate token'],
  noToken: [404, () => 'No token in the request'],
  userExists: [409, (name: string) => conflict('user', `Duplicate entry found with name ${name} at domain ID default`)],
  projectExists: [
    409,
    (name: string, id: string) =>
      conflict(
        'project',
        `it is not permitted to have two projects with either the same name or same id in the same domain: name is ${name}, project id ${id}`,
      ),
  ],
  roleExists: [409, (name: string) => conflict('role', `Duplicate entry found with name ${name}`)],
  credentialExists: [
    409,
    (name: string) => conflict('application_credential', `Duplicate entry found with name ${name}`),
  ],
  lastAdministrator: [
    409,
    () =>
      conflict(
        'user',
        'it is the last administrator who can log in, and nobody could administer the identity without one: make another administrator first',
      ),
  ],
  changedConcurrently: [409, () => conflict('it', 'It was changed at the same time by others')],
  tooLarge: [413, () => 'Request is too large.'],
  absent: [
    501,
    (what: string) =>
      `The embedded identity has no ${what}. A Keystone of your own can be used instead: IDENTITY=keystone.`,
  ],
  readOnly: [503, (reason: string) => `The service is read-only: ${reason}. Try again later.`],
  tooManyAttempts: [429, () => 'Too many log-ins have failed. Try again later.'],
} as const satisfies Record<string, readonly [IdentityStatus, (...details: never[]) => string]>

export type IdentityFailureName = keyof typeof failures
export const identityFailureNames = Object.keys(failures) as readonly IdentityFailureName[]
type DetailsOf<Name extends IdentityFailureName> = Parameters<(typeof failures)[Name][1]>

/** One failure of the embedded identity; `message` is sent to the client. */
export class IdentityFault extends Error {
  override readonly name = 'IdentityFault'
  readonly failure: IdentityFailureName
  readonly status: IdentityStatus
  /** When it may be tried again; left out: nothing is said of it. */
  readonly retrySeconds: number | undefined

  constructor(failure: IdentityFailureName, status: IdentityStatus, message: string, retrySeconds?: number) {
    super(message)
    this.failure = failure
    this.status = status
    this.retrySeconds = retrySeconds
  }
}

/** Makes a failure of any name, of which nobody checks the details. */
export function anyIdentityFault(name: IdentityFailureName, details: readonly string[]): IdentityFault {
  const [status, words] = failures[name]
  return new IdentityFault(name, status, (words as (...details: readonly string[]) => string)(...details))
}

/** Makes the failure `name`; the compiler checks that all of its details are given. */
export function identityFault<Name extends IdentityFailureName>(
  name: Name,
  ...details: DetailsOf<Name>
): IdentityFault {
  return anyIdentityFault(name, details)
}

/** The failure `tooManyAttempts`, with the time after which the next attempt is admitted. */
export function tooManyAttempts(milliseconds: number): IdentityFault {
  const { failure, status, message } = identityFault('tooManyAttempts')
  return new IdentityFault(failure, status, message, Math.max(1, Math.ceil(milliseconds / 1000)))
}

/** The failure `readOnly`, for this reason. */
export function readOnlyIdentity(reason: string): IdentityFault {
  const { failure, status, message } = identityFault('readOnly', reason)
  return new IdentityFault(failure, status, message, READ_ONLY_RETRY_SECONDS)
}
