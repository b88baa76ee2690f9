/**
 * All failures that the key manager returns to clients, each with its status code and its message.
 *
 * The messages are those of Barbican 15.0.1, because clients match on them: python-barbicanclient looks for `Secret
 * cannot be deleted as it has consumers.`, and Tempest for several others.
 */

/** Reason phrases of the status codes that the service returns, spelled as in Barbican. */
export const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const

type FaultStatus = keyof typeof titles

interface Failure<Details extends readonly string[]> {
  readonly status: FaultStatus
  /**
   * How the description is built: `issue` gives `<Operation> issue seen - <text>.`, `attempt` gives `<Operation>
   * attempt not allowed - <text>`, `failure` gives `<Operation> failure seen - <text>.`, and `bare` the text alone.
   */
  readonly form: 'bare' | 'issue' | 'attempt' | 'failure'
  readonly text: (...details: Details) => string | null
}

type Form = Failure<readonly string[]>['form']

function failure(status: FaultStatus, form: Form, text: string | null): Failure<[]>
function failure<Details extends string[]>(
  status: FaultStatus,
  form: Form,
  text: (...details: Details) => string,
): Failure<Details>
function failure(status: FaultStatus, form: Form, text: string | null | ((...details: string[]) => string)) {
  return { status, form, text: typeof text === 'function' ? text : () => text }
}

/** The seconds after which a client is to repeat what was refused because the service is read-only. */
export const READ_ONLY_RETRY_SECONDS = 60

/** Begins with Barbican's text, which clients may compare. */
const payloadLimit = (most: string) =>
  `Provided information too large to process: a payload may have ${most} bytes at most, in base64 once it is decoded`

const failures = {
  // The request as a whole.
  unauthenticated: failure(401, 'bare', 'The request you have made requires authentication.'),
  projectRequired: failure(401, 'bare', 'The token is not scoped to a project.'),
  notPermitted: failure(403, 'attempt', 'please review your user/project privileges'),
  // Calls of the entrypoint KeyManager, which Barbican does not have.
  bindingProps: failure(400, 'bare', (member: string) => `The props of the service binding are invalid: ${member}`),
  argument: failure(400, 'bare', (name: string) => `The argument '${name}' is invalid.`),
  edgeCredentialsOff: failure(403, 'bare', 'EDGE_CREDENTIALS is off: a service binding must pass a token.'),
  answerTooLarge: failure(413, 'bare', 'The payloads are too large for one answer: ask for this one by itself.'),
  foreignTenant: failure(403, 'bare', 'The project in the path is not the project of the token.'),
  notFound: failure(404, 'bare', ''),
  methodNotAllowed: failure(405, 'bare', ''),
  orderUpdate: failure(405, 'bare', 'Order update is not supported.'),
  notAcceptable: failure(406, 'bare', null),
  contentType: failure(
    415,
    'bare',
    (expected: string) => `Unexpected content type. Expected content types are: ${expected}`,
  ),
  malformedJson: failure(400, 'bare', 'Malformed JSON'),
  notUtf8: failure(400, 'bare', ''),
  illFormedText: failure(400, 'bare', 'The body contains half of a UTF-16 surrogate pair, which is not a character.'),
  bodyTooLarge: failure(
    413,
    'bare',
    (most: string) => `The request body is too large: it may have ${most} bytes at most.`,
  ),
  plainHttp: failure(
    403,
    'bare',
    'Requests are answered by https only: whoever carries this one can read the token in it. Revoke that token.',
  ),
  hostInvalid: failure(400, 'bare', 'The Host header is not a host with an optional port.'),
  changedConcurrently: failure(409, 'bare', 'Conflict. It was changed at the same time by others. Try again.'),
  brokenBody: failure(400, 'bare', 'The request body broke off.'),
  queryParameters: failure(400, 'bare', 'URI provided invalid query string parameters.'),
  markerUnknown: failure(400, 'bare', 'The marker is the id of no entry of this list.'),
  unexpected: failure(500, 'failure', 'please contact site administrator'),
  identityUnreachable: failure(503, 'bare', 'The identity service cannot be reached. Try again later.'),
  // The detail is the cause, for the log alone.
  unavailable: failure(503, 'bare', (_cause: string) => 'The service cannot reach its storage. Try again later.'),
  overloaded: failure(503, 'bare', (_cause: string) => 'The storage of the service is overloaded. Try again later.'),
  misconfigured: failure(503, 'bare', (reason: string) => `The service is not configured: ${reason}`),
  schemaBehind: failure(503, 'bare', 'The database is being brought up to date. Try again.'),
  schemaAhead: failure(
    503,
    'bare',
    'The database was changed by a newer release and this one cannot serve it: deploy the newer release.',
  ),
  keysForeign: failure(
    503,
    'bare',
    'The database belongs to a deployment with other master keys: check MASTER_KEYS and the database of this Worker.',
  ),
  objectsForeign: failure(
    503,
    'bare',
    'The database belongs to a deployment with other Durable Objects: check the name and the database of this Worker.',
  ),
  masterKeyMissing: failure(
    503,
    'bare',
    (id: string) =>
      `The service is not configured: MASTER_KEYS lacks the key '${id}', which project keys are still wrapped under`,
  ),

  // Request bodies.
  schema: failure(
    400,
    'bare',
    (schema: string, reason: string, property: string) =>
      `Provided object does not match schema '${schema}': ${reason}. Invalid property: '${property}'`,
  ),
  fieldValue: failure(400, 'bare', 'Provided field value is not supported'),
  noData: failure(400, 'issue', 'No data supplied to process.'),
  payloadTooLarge: failure(413, 'bare', payloadLimit),
  payloadTooLargeOnUpdate: failure(413, 'issue', payloadLimit),
  contentEncoding: failure(
    400,
    'issue',
    "Text-based binary secret payloads must specify a content-encoding of 'base64'",
  ),
  contentEncodingData: failure(400, 'issue', 'The payload is not valid base64'),

  // Keys of projects.
  keySuperseded: failure(409, 'issue', 'The key of this project was replaced at the same time; try again'),
  projectDestroyed: failure(409, 'issue', 'The keys of this project were destroyed'),
  destructionNotFound: failure(404, 'bare', 'Not Found. The keys of this project are not to be destroyed.'),
  destructionBegun: failure(409, 'bare', 'Conflict. The destruction of the keys of this project has begun.'),
  destructionUnconfirmed: failure(400, 'bare', "'confirm' is not the id of the project."),

  // Restores.
  readOnly: failure(503, 'bare', (reason: string) => `The service is read-only: ${reason}. Try again later.`),
  reconciliationChanged: failure(
    409,
    'bare',
    'Conflict. This is not the present report, or not all rows are compared yet. Ask for the report again.',
  ),

  // Secrets.
  secretId: failure(404, 'bare', 'Not Found. Provided secret id is invalid.'),
  secretNotFound: failure(404, 'bare', 'Secret not found.'),
  noPayload: failure(404, 'bare', 'Not Found. Sorry but your secret has no payload.'),
  payloadExists: failure(409, 'bare', 'Secret already has data, cannot modify it.'),
  payloadAccept: failure(406, 'issue', 'Wrong payload content-type'),
  payloadType: failure(400, 'issue', (accept: string) => `content-type of '${accept}' not supported`),
  hasConsumers: failure(400, 'issue', 'Secret cannot be deleted as it has consumers.'),
  transportKeyNotFound: failure(400, 'issue', 'Provided transport key was not found.'),
  transportKeyUnsupported: failure(400, 'issue', 'No plugin was found that could support your request'),
  sessionKeyAlone: failure(
    400,
    'bare',
    'Transport key wrapped session key has been provided to wrap secrets for retrieval, but the transport key id has not been provided.',
  ),
  transportKeyId: failure(404, 'bare', 'Not Found. Provided transport key id is invalid.'),
  transportKeyAbsent: failure(404, 'bare', 'Not Found. Transport Key not found.'),

  // The use of keys.
  notExtractable: failure(403, 'attempt', 'the payload of this secret cannot be extracted.'),
  keyWidened: failure(409, 'bare', 'Conflict. What a key may be used for can only be narrowed.'),
  keyUsage: failure(
    409,
    'bare',
    (operation: string) => `Conflict. The usages of this key do not allow '${operation}'.`,
  ),
  keyKind: failure(409, 'bare', (reason: string) => `Conflict. The payload is not a key for this: ${reason}.`),
  keyVersion: failure(409, 'bare', (version: string) => `Conflict. The key has no version ${version}.`),
  notDecrypted: failure(400, 'bare', 'Decryption issue seen - The ciphertext does not open with this key and context.'),
  rsaAlgorithm: failure(400, 'issue', (algorithm: string) => `The algorithm ${algorithm} is for RSA keys`),
  notSigned: failure(400, 'bare', (reason: string) => `Signature issue seen - ${reason}.`),
  useTooLarge: failure(
    413,
    'bare',
    (what: string, most: string) => `Provided information too large to process: ${what} may have ${most} at most`,
  ),
  // Versions of secrets.
  versionNotFound: failure(404, 'bare', 'Not Found. Secret version not found.'),
  versionDestroyed: failure(404, 'bare', 'Not Found. The payload of this version was destroyed.'),
  versionDisabled: failure(409, 'bare', (version: string) => `Conflict. Version ${version} is disabled.`),
  versionEnabled: failure(
    409,
    'bare',
    (version: string) => `Conflict. Version ${version} is enabled. Disable it first.`,
  ),
  versionIsDestroyed: failure(409, 'bare', (version: string) => `Conflict. Version ${version} is destroyed.`),
  versionIsCurrent: failure(409, 'bare', 'Conflict. The current version can be neither disabled nor destroyed.'),
  versionsFull: failure(
    409,
    'bare',
    (most: string) => `Conflict. The secret has ${most} versions: destroy versions that nothing needs any more.`,
  ),
  notGenerated: failure(
    409,
    'bare',
    'Conflict. Only symmetric keys can be generated, of an algorithm and bit length of which orders make keys.',
  ),
  notRotated: failure(
    409,
    'bare',
    'Conflict. Only symmetric keys are rotated by themselves, and only if the service generated the current version.',
  ),
  rotationConsumed: failure(
    409,
    'bare',
    "Conflict. The secret has consumers, which may depend on its key. Send 'despite_consumers' if it is to be rotated all the same.",
  ),
  preconditionFailed: failure(412, 'bare', 'Precondition Failed. The secret has another current version.'),

  // User metadata of secrets.
  metadataStrings: failure(400, 'bare', 'Invalid Metadata. Keys and Values must be Strings.'),
  metadataKey: failure(400, 'bare', 'Invalid Key. Key must be URL safe.'),
  metadataLength: failure(400, 'bare', 'Invalid Metadata. Keys and Values must not be longer than 255 characters.'),
  metadataFull: failure(
    400,
    'bare',
    (pairs: string, bytes: string) =>
      `Invalid Metadata. A secret has at most ${pairs} pairs, of at most ${bytes} bytes together.`,
  ),
  metadatumNotFound: failure(404, 'bare', 'Secret metadata not found.'),
  metadatumExists: failure(409, 'bare', 'Conflict. Key in request is already in the secret metadata'),
  metadatumKeyMismatch: failure(409, 'bare', 'Key in request data does not match key in the '),

  // Containers and consumers.
  containerId: failure(404, 'bare', 'Not Found. Provided container id is invalid.'),
  containerNotFound: failure(404, 'bare', 'Secrets container not found.'),
  containerSecretAbsent: failure(404, 'bare', (name: string) => `Secret provided for '${name}' doesn't exist.`),
  containerNotGeneric: failure(400, 'bare', "Only 'generic' containers can be modified."),
  secretProvidedAbsent: failure(404, 'bare', "Secret provided doesn't exist."),
  secretReferenceAbsent: failure(
    404,
    'bare',
    (name: string, reference: string) => `Secret '${name}' with reference '${reference}' doesn't exist.`,
  ),
  secretNotInContainer: failure(404, 'bare', 'Secret provided is not in the container'),
  secretInContainer: failure(
    409,
    'bare',
    'Conflict. A secret with that name and ID is already stored in this container. The same secret can exist in a container as long as the name is unique.',
  ),
  containerFull: failure(400, 'bare', (max: string) => `A container holds at most ${max} secrets.`),
  consumerId: failure(404, 'bare', 'Not Found. Provided consumer id is invalid.'),
  consumerNotFound: failure(404, 'bare', 'Consumer not found.'),
  consumerForeign: failure(403, 'bare', 'Not Allowed. Sorry, only the creator of a consumer can delete it.'),

  // Orders, quotas and secret stores.
  orderNotFound: failure(404, 'bare', 'Order not found.'),
  orderTypeFixed: failure(400, 'bare', (type: string) => `Updates are not supported for order type ${type}.`),
  orderNotPending: failure(
    400,
    'bare',
    (status: string) => `Only PENDING orders can be updated. Order is in the ${status} state.`,
  ),
  certificateRequestType: failure(400, 'bare', 'Invalid Certificate Request Type'),
  fullCmc: failure(400, 'bare', 'Full CMC Requests are not yet supported.'),
  metadataField: failure(400, 'bare', (field: string) => `Missing required metadata field for ${field}`),
  requestData: failure(400, 'bare', 'Unable to decode request data.'),
  requestFormat: failure(400, 'bare', 'Invalid PKCS10 Data: Bad format'),
  requestSignature: failure(400, 'bare', 'Invalid PKCS10 Data: Signing key incorrect'),
  subjectName: failure(400, 'bare', (name: string) => `Invalid subject DN: ${name}`),
  subjectRefused: failure(400, 'bare', (reason: string) => `Invalid subject DN: ${reason}`),
  certificateExtensions: failure(400, 'bare', 'Extensions are not yet supported.  Specify a valid profile instead.'),
  authorityNotFound: failure(404, 'bare', 'Not Found. Certificate authority not found.'),
  certificateNotFound: failure(404, 'bare', 'Not Found. The authority has issued no such certificate.'),
  notIssued: failure(400, 'issue', 'The container holds no certificate that can be revoked'),
  quotaReached: failure(403, 'issue', 'Creation not allowed because a quota has been reached'),
  projectQuotasNotFound: failure(404, 'bare', 'Project quotas not found.'),
  singleStore: failure(404, 'bare', 'Not Found. Multiple backends support is not enabled in service configuration.'),
  storeNotFound: failure(404, 'bare', 'Not Found. Secret store not found.'),
  noPreferredStore: failure(404, 'bare', 'Not Found. No preferred secret store defined for this project.'),
} as const

export type FailureName = keyof typeof failures

export const failureNames = Object.keys(failures) as FailureName[]

/** After how many seconds a client is to try again, for failures that pass by themselves. */
const retrySeconds: Partial<Record<FailureName, number>> = {
  schemaBehind: 1,
  unavailable: 5,
  overloaded: 5,
  identityUnreachable: 5,
  readOnly: READ_ONLY_RETRY_SECONDS,
}

type DetailsOf<Name extends FailureName> = Parameters<(typeof failures)[Name]['text']>

/** A failure with the details of its message. Durable Object calls transfer it as plain data (`failure`, `details`). */
export class Fault extends Error {
  readonly failure: FailureName
  readonly details: readonly string[]

  constructor(name: FailureName, details: readonly string[]) {
    super(name)
    this.name = 'Fault'
    this.failure = name
    this.details = details
  }

  get status(): FaultStatus {
    return failures[this.failure].status
  }

  /** The seconds after which the request may succeed; undefined if time alone does not help. */
  get retrySeconds(): number | undefined {
    return retrySeconds[this.failure]
  }

  /** Returns the description for the response body. `operation` is the name of the failed one: `Secret creation`. */
  describe(operation: string): string | null {
    const { form, text } = failures[this.failure] as Failure<readonly string[]>
    const message = text(...this.details)
    switch (form) {
      case 'bare':
        return message
      case 'issue':
        return `${operation} issue seen - ${message}.`
      case 'attempt':
        return `${operation} attempt not allowed - ${message}`
      case 'failure':
        return `${operation} failure seen - ${message}.`
    }
  }
}

/** Creates the failure `name`. The compiler checks the number of its details. */
export function fault<Name extends FailureName>(name: Name, ...details: DetailsOf<Name>): Fault {
  return new Fault(name, details)
}
