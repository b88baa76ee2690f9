/**
 * A fake Keystone: it stores the tokens that it issued and implements `GET /v3/auth/tokens` for them. It replaces
 * `fetch` for all addresses, and records all requests.
 *
 * As in Keystone's policy `identity:validate_token`, a token may ask about itself, and a token with the role of a service
 * or an administrator about all others. `allow_expired` requires nothing else: the service that uses it must check the
 * role `service` itself.
 */
import { vi } from 'vitest'

export const KEYSTONE_URL = 'http://keystone.example:5000'
/** The variables of a service that uses it. */
export const keystoneVariables = { IDENTITY: 'keystone', KEYSTONE_URL }

export interface TokenOf {
  readonly userId?: string
  /** Undefined: the token is unscoped. */
  readonly projectId?: string | undefined
  readonly roles?: readonly string[]
  /** When it expires, in milliseconds. */
  readonly expires?: number
  /** Further members of the document: `domain`, `system`, `OS-TRUST:trust`. */
  readonly members?: object
  /**
   * The token's application credential has access rules: it is only valid for services that declare to enforce them.
   */
  readonly accessRules?: boolean
}

export interface Asked {
  readonly url: string
  readonly headers: Headers
  readonly redirect: string | undefined
  readonly timed: boolean
}

export interface FakeKeystone {
  /** Issues a token, which is valid immediately. */
  readonly issue: (token?: TokenOf) => string
  readonly revoke: (token: string) => void
  /** All recorded requests, to any host. */
  readonly asked: Asked[]
  /** Overrides the response to all requests; null restores the default. */
  readonly answerWith: (answer: ((asked: Asked) => Promise<Response> | Response) | null) => void
}

const HOUR = 3_600_000
/** Who may ask about tokens of others. */
const VALIDATING_ROLES = new Set(['service', 'admin', 'reader'])

function documentOf({ userId = 'user', projectId, roles = [], expires = 0, members = {} }: TokenOf) {
  const domain = { id: 'default', name: 'Default' }
  return {
    token: {
      methods: ['password'],
      user: { id: userId, name: userId, domain },
      ...(projectId !== undefined && { project: { id: projectId, name: projectId, domain } }),
      roles: roles.map((name) => ({ id: `id of ${name}`, name })),
      issued_at: new Date(expires - HOUR).toISOString(),
      expires_at: new Date(expires).toISOString(),
      audit_ids: ['AAAAAAAAAAAAAAAAAAAAAA'],
      ...members,
    },
  }
}

/** Replaces `fetch`; `vi.unstubAllGlobals()` restores it. */
export function fakeKeystone(): FakeKeystone {
  const tokens = new Map<string, TokenOf & { readonly expires: number }>()
  const asked: Asked[] = []
  let answer: ((asked: Asked) => Promise<Response> | Response) | null = null
  const live = (token: string | null) => {
    const known = tokens.get(token ?? '')
    return known && known.expires > Date.now() ? known : undefined
  }

  function validate({ url, headers }: Asked): Response {
    const asking = live(headers.get('X-Auth-Token'))
    if (!asking) return Response.json({ error: { code: 401 } }, { status: 401 })
    const subject = headers.get('X-Subject-Token') ?? ''
    const mayAsk = headers.get('X-Auth-Token') === subject || asking.roles?.some((role) => VALIDATING_ROLES.has(role))
    if (!mayAsk) return Response.json({ error: { code: 403 } }, { status: 403 })
    const expired = new URL(url).searchParams.get('allow_expired') === '1'
    const known = expired ? tokens.get(subject) : live(subject)
    const admitted = known && (!known.accessRules || headers.has('OpenStack-Identity-Access-Rules'))
    if (!admitted) return Response.json({ error: { code: 404 } }, { status: 404 })
    return Response.json(documentOf(known))
  }

  async function follow(one: Asked, response: Response): Promise<Response> {
    const to = response.headers.get('Location')
    if (!to || one.redirect === 'manual') return response
    asked.push({ ...one, url: to })
    return new Response('followed')
  }

  vi.stubGlobal('fetch', async (input: string | URL, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    const one: Asked = { url: String(input), headers, redirect: init.redirect, timed: init.signal !== undefined }
    asked.push(one)
    if (answer) return follow(one, await answer(one))
    if (!one.url.startsWith(`${KEYSTONE_URL}/v3/auth/tokens`)) return new Response('no such host', { status: 502 })
    return validate(one)
  })

  return {
    asked,
    issue(token = {}) {
      const id = `gAAAAA${crypto.randomUUID()}`
      tokens.set(id, { ...token, expires: token.expires ?? Date.now() + HOUR })
      return id
    },
    revoke: (token) => void tokens.delete(token),
    answerWith(other) {
      answer = other
    },
  }
}
