/** Tokens: issuing, validating and revoking them, and listing the projects that a token gives access to. */
import type { Context } from 'hono'
import { currentStanding, type Standing } from '../../access/embedded.ts'
import { claimedBy, logIn } from '../../access/log-in.ts'
import type { Shapes } from '../../shapes/index.ts'
import { revokeToken } from '../../state/identity/accounts.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN } from '../../state/identity/names.ts'
import type { RoleName } from '../../state/identity/roles.ts'
import type { Service } from '../http/context.ts'
import { setHeader } from '../http/response.ts'
import { collection, json, noContent } from './answers.ts'
import { catalogOf } from './catalog.ts'
import { readLogIn } from './log-in-request.ts'
import { guarded, guardedBy, open, type Call, type PublicCall } from './operations.ts'
import { answerProjects } from './projects.ts'

const PATH = '/v3/auth/tokens'

const inDomain = ({ id, name }: RoleName) => ({ domain: DEFAULT_DOMAIN, id, name })

/** Returns Keystone's representation of a token. Only scoped tokens have a project, roles and a catalog. */
function tokenView(
  c: Context<Service>,
  { claims, user, project, roles, credential }: Standing,
): Shapes['IdentityToken'] {
  const scoped = project && {
    project: inDomain(project),
    is_domain: false,
    roles: roles.map(({ id, name }) => ({ id, name })),
    ...(!new URL(c.req.url).searchParams.has('nocatalog') && { catalog: catalogOf(c) }),
  }
  const delegated = credential && {
    application_credential: { id: credential.id, name: credential.name, restricted: !credential.unrestricted },
  }
  return {
    methods: claims.methods,
    user: { ...inDomain(user), password_expires_at: null },
    audit_ids: claims.auditIds.filter((id) => id !== undefined),
    expires_at: `${claims.expires}Z`,
    issued_at: `${claims.issued}Z`,
    ...scoped,
    ...delegated,
  }
}

function answerToken(c: Context<Service>, status: 200 | 201, token: string, standing: Standing): Response {
  setHeader(c, 'X-Subject-Token', token)
  return json(c, status, { token: tokenView(c, standing) })
}

async function issue({ c, backend }: PublicCall): Promise<Response> {
  const { proof, scope } = await readLogIn(c)
  const attempted = attributedTo({ c, backend }, claimedBy(proof))
  const { adminPassword: password, adminRecovery: recovery } = c.var.config
  const { token, standing } = await logIn(attempted, proof, scope, { password, recovery })
  attributedTo({ c, backend }, standing.user.id)
  return answerToken(c, 201, token, standing)
}

/** The backend of a log-in that claims to be this user's, for its audit events; the request is logged with the claim. */
function attributedTo({ c, backend }: Pick<PublicCall, 'c' | 'backend'>, claimed: string) {
  const initiator = claimed === '' ? null : { userId: claimed, projectId: null }
  const source = { ...backend.source, initiator, operation: 'identity:authenticate' }
  c.set('source', source)
  return { ...backend, source }
}

/**
 * Returns the token in `X-Subject-Token`, if there is one, and its state. The user of the token, which its signature
 * authenticates, is the policy target. Throws `tokenNotFound` if the token is not valid.
 */
async function subjectOf({ c, backend }: Call) {
  const token = c.req.header('X-Subject-Token')
  const standing = token ? await currentStanding(token, backend) : null
  if (token && !standing) throw identityFault('tokenNotFound')
  return { userId: standing?.user.id, token, standing }
}

type Subject = Awaited<ReturnType<typeof subjectOf>>

function show({ c }: Call, { token, standing }: Subject): Response {
  if (!token || !standing) throw identityFault('noToken')
  return answerToken(c, 200, token, standing)
}

async function revoke({ c, backend }: Call, { standing }: Subject): Promise<Response> {
  if (!standing) throw identityFault('noToken')
  const { auditIds, expires, projectId } = standing.claims
  await revokeToken(backend, { auditId: auditIds[0], expires, projectId })
  return noContent(c)
}

export const tokenOperations = [
  open('POST', PATH, issue),
  guardedBy('GET', PATH, 'identity:validate_token', subjectOf, show),
  guardedBy('DELETE', PATH, 'identity:revoke_token', subjectOf, revoke),
  guarded('GET', '/v3/auth/projects', 'identity:get_auth_projects', (call) =>
    answerProjects(call, call.standing.user.id),
  ),
  guarded('GET', '/v3/auth/domains', 'identity:get_auth_domains', ({ c }) => collection(c, 'domains', [])),
]
