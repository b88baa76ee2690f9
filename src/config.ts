/** The bindings and variables of the Worker, validated once per isolate. An error names the invalid variable. */
import * as z from 'zod/mini'
import { KeyringError, readKeyring } from './crypto/keyring.ts'
import { MIN_PASSWORD_CHARACTERS } from './crypto/password.ts'
import { AUDIT_DAYS } from './state/audit/retention.ts'
import type { StateSettings } from './state/backend.ts'
import { JURISDICTIONS, OBJECT_LOCATIONS, placedObjects } from './state/places.ts'
import { KEPT_VERSIONS } from './state/schema/secret-versions.ts'

/**
 * What the runtime passes to the Worker: the bindings of `wrangler.toml`, whose types `wrangler types` generates, and
 * variables as they were set. Nothing about variables is trusted.
 */
export type Environment = Env & Readonly<Record<string, unknown>>

export interface Config extends StateSettings {
  readonly identity: 'embedded' | 'keystone'
  /** The age, in seconds, up to which reads that state none may be answered from the memory of an isolate. */
  readonly readCacheSeconds: number
  /** Base URL of Keystone's v3 API, without `/v3` and without a trailing slash; empty for the embedded identity. */
  readonly keystoneUrl: string
  readonly policy: 'legacy' | 'secure' | 'both'
  /** Public base URL of all refs, without a trailing slash; if empty, the request's origin is used. */
  readonly hostHref: string
  /** The limit of a payload, in bytes as stored. */
  readonly maxSecretBytes: number
  readonly maxRequestBytes: number
  /**
   * `strict`: a payload is returned only after its audit event is stored. `log`: only the request log shows the read.
   */
  readonly auditReads: 'log' | 'strict'
  /** Whether the props of a service binding may name the application credential of the caller. */
  readonly edgeCredentials: boolean
  /** `problems` logs problems only; `requests` logs every request as well. */
  readonly log: 'problems' | 'requests'
  /** Retention of audit events, in days. */
  readonly auditDays: number
  /** The age, in days, at which project keys are superseded automatically; 0 disables that. */
  readonly projectKeyDays: number
  /** Password of the first administrator of the embedded identity; if empty, no administrator is created. */
  readonly adminPassword: string
  /** A log-in of the user `admin` with that password makes it the administrator again. */
  readonly adminRecovery: boolean
}

/** Reports an invalid configuration. `message` names the variable and the reason, and never contains a secret value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * In bytes. A string of D1 has at most 2,000,000 bytes, and a payload travels as two hexadecimal digits for each byte; the
 * rest is for what sealing adds.
 */
const MAX_SECRET_BYTES = 990_000
const DEFAULT_SECRET_BYTES = 20_000
const MAX_REQUEST_BYTES = 10_000_000
/** Enough for the largest payload in base64, which is a third longer, together with its metadata. */
const DEFAULT_REQUEST_BYTES = 32_000
/** The greatest bound for the age of answers, in seconds, and the one without STALENESS_SECONDS. */
const MAX_STALENESS_SECONDS = 60
const DEFAULT_STALENESS_SECONDS = 10

const choice = <const Values extends readonly [string, ...string[]]>(values: Values, defaultValue: Values[number]) =>
  z._default(z.enum(values, { error: `must be one of ${values.join(', ')}` }), defaultValue)

/** One of the values, or nothing. */
const optionalChoice = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z._default(z.enum(['', ...values], { error: `must be one of ${values.join(', ')}` }), '')

const integer = (defaultValue: number, min: number, max: number) =>
  z._default(
    z.pipe(
      z.string(),
      z.transform((text, { issues }) => {
        const refuse = (message: string) => issues.push({ code: 'custom', input: text, message })
        const value = Number(text)
        if (!/^-?\d+$/.test(text)) refuse('must be an integer')
        else if (value < min) refuse(`must be at least ${min}`)
        else if (value > max) refuse(`must be at most ${max}`)
        return value
      }),
    ),
    defaultValue,
  )

const quota = integer(-1, -1, 2 ** 31 - 1)

function isBaseUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash
}

const baseUrl = z.pipe(
  z._default(
    z.string().check(z.refine(isBaseUrl, 'must be an http or https URL without user, query and fragment')),
    '',
  ),
  z.transform((url) => url.replace(/\/+$/, '')),
)

const variables = z.object({
  IDENTITY: choice(['embedded', 'keystone'], 'embedded'),
  KEYSTONE_URL: baseUrl,
  POLICY: choice(['legacy', 'secure', 'both'], 'secure'),
  HOST_HREF: baseUrl,
  QUOTA_SECRETS: quota,
  QUOTA_ORDERS: quota,
  QUOTA_CONTAINERS: quota,
  QUOTA_CONSUMERS: quota,
  MAX_SECRET_BYTES: integer(DEFAULT_SECRET_BYTES, 1, MAX_SECRET_BYTES),
  MAX_REQUEST_BYTES: integer(DEFAULT_REQUEST_BYTES, 1, MAX_REQUEST_BYTES),
  SECRET_STORES: choice(['single', 'multiple'], 'single'),
  AUDIT_READS: choice(['log', 'strict'], 'log'),
  EDGE_CREDENTIALS: choice(['off', 'on'], 'off'),
  LOG: choice(['problems', 'requests'], 'requests'),
  AUDIT_DAYS: integer(AUDIT_DAYS.byDefault, AUDIT_DAYS.least, AUDIT_DAYS.most),
  PROJECT_KEY_DAYS: integer(0, 0, 36_500),
  READ_ONLY: choice(['off', 'on'], 'off'),
  STALENESS_SECONDS: integer(DEFAULT_STALENESS_SECONDS, 0, MAX_STALENESS_SECONDS),
  READ_CACHE_SECONDS: integer(0, 0, MAX_STALENESS_SECONDS),
  NAME_DEFAULT: choice(['none', 'id'], 'none'),
  KEEP_VERSIONS: integer(KEPT_VERSIONS.byDefault, KEPT_VERSIONS.least, KEPT_VERSIONS.most),
  ADMIN_PASSWORD: z._default(
    z.string().check(z.minLength(MIN_PASSWORD_CHARACTERS, `must have at least ${MIN_PASSWORD_CHARACTERS} characters`)),
    '',
  ),
  ADOPT_DATABASE: z._default(z.string().check(z.regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits')), ''),
  ADMIN_RECOVERY: choice(['off', 'reset'], 'off'),
  OBJECT_LOCATION: optionalChoice(OBJECT_LOCATIONS),
  JURISDICTION: optionalChoice(JURISDICTIONS),
  MASTER_KEYS: z.optional(z.string('must be text')),
  TOKEN_EPOCH: integer(0, 0, 2 ** 31 - 1),
})

export type VariableName = keyof typeof variables.shape
export const variableNames = Object.keys(variables.shape) as VariableName[]

/**
 * Validates all variables. An empty variable counts as not set. The contents of MASTER_KEYS are validated by
 * {@link readConfig} only. Throws {@link ConfigError} for the first invalid variable.
 */
export function readVariables(env: Readonly<Record<string, unknown>>): z.infer<typeof variables> {
  const values = Object.fromEntries(variableNames.filter((name) => env[name] !== '').map((name) => [name, env[name]]))
  const result = z.safeParse(variables, values)
  if (!result.success) {
    const [issue] = result.error.issues
    throw new ConfigError(
      `${String(issue?.path[0])} ${issue?.code === 'invalid_type' ? 'must be text' : issue?.message}`,
    )
  }
  const { IDENTITY, KEYSTONE_URL } = result.data
  if (IDENTITY === 'keystone' && !KEYSTONE_URL) throw new ConfigError('KEYSTONE_URL must be set for IDENTITY keystone')
  return result.data
}

/** Returns where objects are made. Throws {@link ConfigError} if this runtime has no such place. */
function placesOf(env: Environment, read: ReturnType<typeof readVariables>): Config['places'] {
  const places = { location: read.OBJECT_LOCATION, jurisdiction: read.JURISDICTION }
  try {
    placedObjects(env.PROJECT, places)
    return places
  } catch (error) {
    throw new ConfigError(`JURISDICTION ${places.jurisdiction} is refused by this runtime: ${(error as Error).message}`)
  }
}

async function build(env: Environment): Promise<Config> {
  const read = readVariables(env)
  if (read.ADMIN_RECOVERY === 'reset' && !read.ADMIN_PASSWORD) {
    throw new ConfigError('ADMIN_PASSWORD must be set for ADMIN_RECOVERY reset')
  }
  if (read.EDGE_CREDENTIALS === 'on' && read.IDENTITY !== 'embedded') {
    throw new ConfigError('IDENTITY must be embedded for EDGE_CREDENTIALS on')
  }
  try {
    return {
      identity: read.IDENTITY,
      keystoneUrl: read.KEYSTONE_URL.replace(/\/v3$/, ''),
      policy: read.POLICY,
      hostHref: read.HOST_HREF,
      quotas: {
        secrets: read.QUOTA_SECRETS,
        orders: read.QUOTA_ORDERS,
        containers: read.QUOTA_CONTAINERS,
        consumers: read.QUOTA_CONSUMERS,
      },
      maxSecretBytes: read.MAX_SECRET_BYTES,
      maxRequestBytes: read.MAX_REQUEST_BYTES,
      secretStores: read.SECRET_STORES,
      auditReads: read.AUDIT_READS,
      edgeCredentials: read.EDGE_CREDENTIALS === 'on',
      log: read.LOG,
      auditDays: read.AUDIT_DAYS,
      projectKeyDays: read.PROJECT_KEY_DAYS,
      readOnly: read.READ_ONLY === 'on',
      stalenessSeconds: read.STALENESS_SECONDS,
      readCacheSeconds: read.READ_CACHE_SECONDS,
      nameDefault: read.NAME_DEFAULT,
      places: placesOf(env, read),
      adoptDatabase: read.ADOPT_DATABASE,
      keepVersions: read.KEEP_VERSIONS,
      adminPassword: read.ADMIN_PASSWORD,
      adminRecovery: read.ADMIN_RECOVERY === 'reset',
      keyring: await readKeyring(read.MASTER_KEYS, read.TOKEN_EPOCH),
    }
  } catch (error) {
    if (error instanceof KeyringError) throw new ConfigError(`MASTER_KEYS: ${error.message}`)
    throw error
  }
}

const cache = new WeakMap<Environment, Config>()

/**
 * Returns the configuration of this isolate. Rejects with {@link ConfigError} if it is invalid. Several first requests may
 * build it at the same time, since none may wait for another's promise; all that come later have the same one.
 */
export async function readConfig(env: Environment): Promise<Config> {
  const cached = cache.get(env)
  if (cached) return cached
  const config = await build(env)
  const first = cache.get(env) ?? config
  cache.set(env, first)
  return first
}
