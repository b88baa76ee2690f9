/** Parses the body of `POST /auth/tokens`: the caller's authentication method and the requested scope of the token. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import type { Proof, Scope } from '../../access/log-in.ts'
import { NOBODY, type CredentialKey, type IdentityKey } from '../../state/identity/accounts.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN, foldName } from '../../state/identity/names.ts'
import type { Service } from '../http/context.ts'
import { stripText } from '../http/python.ts'
import { anyObject, list, object, secretText, text } from '../http/schema.ts'
import { readMember } from './bodies.ts'

const named = () => ({ id: z.optional(text()), name: z.optional(text()) })
const domain = () => z.optional(object(named()))
const user = () => z.optional(object({ ...named(), domain: domain(), password: z.optional(secretText()) }))
const identity = () =>
  object({
    methods: list(text()),
    password: z.optional(object({ user: user() })),
    token: z.optional(object({ id: secretText() })),
    application_credential: z.optional(object({ ...named(), user: user(), secret: z.optional(secretText()) })),
  })
const scopeObject = () =>
  object({
    project: z.optional(object({ ...named(), domain: domain() })),
    domain: domain(),
    system: z.optional(anyObject()),
    unscoped: z.optional(z.unknown()),
    'OS-TRUST:trust': z.optional(anyObject()),
  })
/** The scopes that Keystone has; those without a project here give no token. */
export const scope = z.lazy(scopeObject)
/** A log-in. As in Keystone, the form of its scope is checked before its methods, and what the scope names after them. */
export const auth = z.lazy(() => z.nullable(object({ identity: identity(), scope: z.optional(z.unknown()) })))

type Identity = z.infer<ReturnType<typeof identity>>
type Domain = z.infer<ReturnType<typeof domain>>
type User = NonNullable<z.infer<ReturnType<typeof user>>>

/**
 * Returns `key` for the default domain, and {@link NOBODY} for any other, in which nothing exists. The same statements
 * then run, and find nothing.
 */
function inDomain(key: IdentityKey, given: NonNullable<Domain>, field: string): IdentityKey {
  const { id, name } = given
  if (id === undefined && name === undefined) {
    throw identityFault('invalid', `Invalid input for field ${field}: id or name must be present.`)
  }
  const isDefault = name === undefined ? id === DEFAULT_DOMAIN.id : foldName(name) === foldName(DEFAULT_DOMAIN.name)
  return isDefault ? key : NOBODY
}

/** Returns an id, or a name in a domain. As in Keystone, the name takes precedence over the id. */
function keyOf(
  given: { readonly id?: string | undefined; readonly name?: string | undefined; readonly domain?: Domain },
  noun: 'user' | 'project',
  field: string,
): IdentityKey {
  if (given.domain) inDomain(NOBODY, given.domain, `${field}/domain`)
  if (given.name !== undefined) {
    if (!given.domain) throw identityFault('expected', 'domain', noun)
    return inDomain({ name: stripText(given.name) }, given.domain, `${field}/domain`)
  }
  if (given.id !== undefined) return { id: given.id }
  throw identityFault('invalid', `Invalid input for field ${field}: id or name must be present.`)
}

function passwordProof(given: User | undefined): Proof {
  if (!given) throw identityFault('expected', 'user', 'password')
  return { method: 'password', user: keyOf(given, 'user', 'identity/password/user'), password: given.password ?? '' }
}

function credentialProof(given: NonNullable<Identity['application_credential']>): Proof {
  return { method: 'application_credential', credential: credentialKey(given), secret: given.secret ?? '' }
}

function credentialKey({ id, name, user: owner }: NonNullable<Identity['application_credential']>): CredentialKey {
  if (id !== undefined) return { id }
  if (name === undefined) throw identityFault('expected', 'name or ID', 'application credential')
  if (!owner) throw identityFault('expected', 'user', 'application credential')
  return { name: stripText(name), user: keyOf(owner, 'user', 'identity/application_credential/user') }
}

/** Returns the proof of the request. Multi-factor authentication is not supported, so there must be one method. */
function proofIn(given: Identity, members: object): Proof {
  const methods = [...new Set(given.methods)]
  for (const method of methods) {
    if (!Object.hasOwn(members, method)) throw identityFault('expected', method, 'identity')
  }
  const [method] = methods
  if (methods.length !== 1 || !method || !isKnown(method)) throw identityFault('unsupportedMethod')
  const { password, token, application_credential: credential } = given
  if (method === 'password' && password) return passwordProof(password.user)
  if (method === 'token' && token) return { method, token: token.id }
  if (method === 'application_credential' && credential) return credentialProof(credential)
  throw identityFault('expected', method, 'identity')
}

const isKnown = (method: string): method is Proof['method'] =>
  method === 'password' || method === 'token' || method === 'application_credential'

const SCOPES = 'system, project, domain, OS-TRUST:trust or unscoped'

type GivenScope = z.infer<ReturnType<typeof scopeObject>> | 'unscoped' | null

/** Checks the form of a scope; null: the request has none. */
function scopeGiven(given: unknown): GivenScope {
  if (given === undefined || given === null) return null
  if (given === 'unscoped') return given
  const result = z.safeParse(scope, given)
  if (!result.success) throw identityFault('invalid', "Invalid input for field 'scope': the value is not a scope")
  return result.data
}

function scopeIn(given: GivenScope): Scope {
  if (given === null) return 'default'
  if (given === 'unscoped') return given
  if (Object.keys(given).length !== 1) throw identityFault('expected', SCOPES, 'scope')
  if (given.project) return keyOf(given.project, 'project', 'scope/project')
  // No user has a role in the domain, in the system or through a trust, so such a scope counts as an unknown project.
  return 'unscoped' in given ? 'unscoped' : NOBODY
}

/**
 * Reads the request for a token. Throws `expected`, `invalid`, `invalidField`, `unsupportedMethod`, and
 * `credentialScope` if an application credential requests a scope.
 */
export async function readLogIn(c: Context<Service>): Promise<{ readonly proof: Proof; readonly scope: Scope }> {
  const { value, given } = await readMember(c, 'auth', auth)
  if (value === null) throw identityFault('expected', 'auth', 'request body')
  const requested = scopeGiven(value.scope)
  const proof = proofIn(value.identity, given['identity'] as object)
  if (proof.method === 'application_credential' && Object.hasOwn(given, 'scope')) {
    throw identityFault('credentialScope')
  }
  return { proof, scope: scopeIn(requested) }
}
