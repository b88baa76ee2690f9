/** Small faults in authentication: tokens, live checks, log-ins and Keystone. */
import { inFile } from './fault.ts'

export const inAccess = [
  ...inFile(
    'access/embedded',
    ['access/embedded', 'threats/live-checks'],
    ['revoked || !user?.enabled', '!user?.enabled', 'a revoked token stays valid'],
    ['!user?.enabled', '!user', 'a disabled user keeps its tokens'],
    ['user.tokenEpoch !== claims.tokenEpoch', 'false', 'a new password ends no token'],
    ['if (!project?.enabled ||', 'if (!project ||', 'a disabled project keeps its tokens'],
    ['|| roles.length === 0', '', 'a token without any role left is valid'],
    ['claims.roleIds.includes(id)', 'claims.roleIds.length < 1 || id', 'a token has roles that it was not issued for'],
    [
      'crypto.subtle.timingSafeEqual(bytes, known.signature) ? known : undefined',
      'known',
      'a remembered token is accepted with any signature',
    ],
    ['known.claims.expires <= now || ', '', 'a remembered token outlives its expiry'],
    [
      'remember(keyring, said,',
      'remember(keyring, said.slice(0, 40),',
      'checks are remembered under a part of the token, and then not found',
    ],
    ['map(({ name }) => foldName(name))', 'map(({ name }) => name)', 'roles keep their capitals'],
  ),
  ...inFile(
    'access/embedded',
    ['threats/comparisons'],
    [
      'crypto.subtle.timingSafeEqual(bytes, known.signature)',
      'bytes.every((byte, at) => byte === known.signature[at])',
      'the time of a comparison tells how much of a signature was right',
    ],
  ),
  ...inFile(
    'access/embedded',
    ['identity/application-credentials', 'identity/authentication'],
    ['credential?.userId !== user.id', 'false', 'a deleted application credential keeps its tokens'],
  ),
  ...inFile(
    'access/tokens',
    ['access/tokens', 'access/embedded'],
    ['claims.expires > now ? claims', 'claims.expires >= now ? claims', 'a token is valid at the moment it expires'],
    ['TOKEN_SECONDS = 3600', 'TOKEN_SECONDS = 36000', 'tokens live for ten hours'],
    [
      'issuer: ISSUER,\n      audience',
      'audience',
      'a token of another issuer is read',
      'the schema of the payload has the issuer as a literal',
    ],
    ['      typ: TYPE,\n      issuer', '      issuer', 'a token of another type is read'],
    ['if (!CANONICAL_TOKEN.test(token)) return null', '', 'one token has several spellings'],
    ['const AUDIT_ID_BYTES = 16', 'const AUDIT_ID_BYTES = 1', 'audit ids collide and revoke each other'],
    ['Math.round(value * 1000) / 1000 === value', 'true', 'times with more than milliseconds are accepted'],
    ['z.strictObject({', 'z.object({', 'a payload may have members that nobody knows'],
  ),
  ...inFile(
    'access/log-in',
    ['identity/authentication', 'identity/application-credentials'],
    [
      "if (!parent) throw identityFault('tokenNotFound')",
      "if (!parent) throw identityFault('notPermitted')",
      'a wrong status',
    ],
    ["methods.includes('application_credential')", 'false', 'a delegated token makes another token'],
    [
      'credential.expires <= backend.now',
      'credential.expires < backend.now',
      'a credential works at its expiry',
      'the moment of a log-in has milliseconds; no request of the tests falls on the expiry itself',
    ],
    ['credential.roleIds.includes(id)', 'true', 'a credential gives all roles of its user'],
  ),
  ...inFile(
    'access/keystone',
    ['threats/identity', 'threats/tokens', 'threats/live-checks'],
    [
      'TOKEN_CACHE_MILLISECONDS = 60_000',
      'TOKEN_CACHE_MILLISECONDS = 600_000',
      'a revoked token works for ten minutes',
    ],
    ["redirect: 'manual'", "redirect: 'follow'", 'a token is sent to another host'],
    [
      'name.toLowerCase() === SERVICE_ROLE',
      'name.toLowerCase().includes(SERVICE_ROLE)',
      'a role that is not service admits expired tokens',
    ],
    [
      'const user = await fetchToken(keystoneUrl, trusted ? serviceToken : token, token, trusted)',
      'const user = await fetchToken(keystoneUrl, serviceToken, token, true)',
      'the role of a service token is never asked',
    ],
    ['if (!service) return null', '', 'a bad service token is ignored'],
    ['cached.until > Date.now()', 'cached.until > 0', 'a cached token never expires'],
    [
      'JSON.stringify([keystoneUrl, token, serviceToken])',
      'keystoneUrl + token + serviceToken',
      'tokens are confused where they meet',
    ],
    ['[400, 401, 403, 404].includes(status)', 'status < 600', 'an outage of Keystone is a 401'],
    ['checked.until <= Date.now()', 'false', 'an expired token is accepted once'],
    ['if (status !== 200) throw', 'if (status >= 300) throw', 'an answer of another status is read as a token'],
    ['/^[\\x21-\\x7e]+$/.test(text)', 'true', 'text that no header can carry is sent'],
    ["redirect: 'manual', signal }", "redirect: 'manual' }", 'a request to Keystone never ends'],
  ),
  ...inFile(
    'access/keystone',
    ['access/keystone-outage'],
    ['reported.set(keystoneUrl, now)', '', 'an outage of Keystone fills the log'],
    ['BUSY_STATUSES.has(status)', 'false', 'a Keystone that restarts is an outage'],
    [
      'error instanceof NoAnswer && error.passes',
      'error instanceof NoAnswer',
      'an answer that stays is asked for again',
    ],
  ),
]
