/** The body of `POST /auth/tokens`: the proof of the caller's identity, and the requested scope of the token. */
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

const named = { id: z.optional(text()), name: z.optional(text()) }
const domain = z.optional(object(named))
const user = z.optional(object({ ...named, domain, password: z.optional(secretText()) }))
const identity = object({
  methods: list(text()),
  password: z.optional(object({ user })),
  token: z.optional(object({ id: secretText() })),
  application_credential: z.optional(object({ ...named, user, secret: z.optional(secretText()) })),
})
const scope = object({
  project: z.optional(object({ ...named, domain })),
  domain,
  system: z.optional(anyObject()),
  unscoped: z.optional(z.unknown()),
  'OS-TRUST:trust': z.optional(anyObject()),
})
const auth = object({ identity, scope: z.optional(z.unknown()) })

type Identity = z.infer<typeof identity>
type Domain = z.infer<typeof domain>
type User = NonNullable<z.infer<typeof user>>

/** The key, or {@link NOBODY} in another domain: nothing exists there, and the same statements run to find nothing. */
function inDomain(key: IdentityKey, given: NonNullable<Domain>, field: string): IdentityKey {
  const { id, name } = given
  if (id === undefined && name === undefined) {
    throw identityFault('invalid', `Invalid input for field ${field}: id or name must be present.`)
  }
  const isDefault = name === undefined ? id === DEFAULT_DOMAIN.id : foldName(name) === foldName(DEFAULT_DOMAIN.name)
  return isDefault ? key : NOBODY
}

/** An id, or a name with its domain; the name takes precedence over the id, as in Keystone. */
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

/** The one proof of the request. There is no second factor, so several methods are not supported. */
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

function scopeIn(given: unknown): Scope {
  if (given === undefined || given === null) return 'default'
  if (given === 'unscoped') return 'unscoped'
  const result = z.safeParse(scope, given)
  if (!result.success) throw identityFault('invalid', "Invalid input for field 'scope': the value is not a scope")
  const chosen = Object.keys(result.data)
  if (chosen.length !== 1) throw identityFault('expected', SCOPES, 'scope')
  const { project } = result.data
  if (project) return keyOf(project, 'project', 'scope/project')
  // No user has a role in the domain, in the system or by a trust: such a scope is read as an unknown project.
  return 'unscoped' in result.data ? 'unscoped' : NOBODY
}

/** Reads the request for a token. Throws `expected`, `invalid` and `invalidField`, and `unsupportedMethod`. */
export async function readLogIn(c: Context<Service>): Promise<{ readonly proof: Proof; readonly scope: Scope }> {
  const { value, given } = await readMember(c, 'auth', z.nullable(auth))
  if (value === null) throw identityFault('expected', 'auth', 'request body')
  const proof = proofIn(value.identity, given['identity'] as object)
  if (proof.method === 'application_credential' && Object.hasOwn(given, 'scope')) {
    throw identityFault('credentialScope')
  }
  return { proof, scope: scopeIn(value.scope) }
}
