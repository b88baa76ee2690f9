/**
 * Where this service answers otherwise than the peer, a Barbican 15, and means to: one name and reason for each. A test
 * that meets one says so by its name, so a difference without a name is a failure on one of the two servers.
 */
import { it } from 'vitest'
import { peerUrl } from './client.ts'

export const differences = {
  'times with microseconds': 'the seeds show six digits of fraction; the peer’s database keeps whole seconds',
  'oldest first': 'without `sort` secrets come in the order of their creation; the peer has no order',
  'stable ties': 'secrets that sort alike come in the order of their creation; the peer has no order for them',
  'exact names': 'a name filter is that name; the peer decodes it twice and matches it as a LIKE pattern without case',
  'exact algorithms': '`%` and `_` in `alg` and `mode` are characters; the peer matches them as LIKE patterns',
  'parts of meta':
    '`meta` of an order list is any part of the shown text; the peer takes whole members and LIKE patterns',
  'filters in UTC': 'an offset in a date filter is converted; the peer compares the wall-clock part',
  'links keep the query': 'page links carry the other parameters, as newer Barbican does; the peer loses the filters',
  'microversion 1.2': 'the highest version is that of newer Barbican',
  'always 405': 'a method that a route does not have is 405 whatever `Accept` says; the peer may answer 406',
  'always 404': 'what is not there is 404 whatever `Accept` says; outside `/v1` the peer may answer 406',
  'Allow everywhere': 'every 405 names the methods that there are; on some routes the peer names none',
  'project required': 'a token without a project is 401, as with newer Barbican; the peer answers 200 or 500',
  'request ids':
    'ids are always new and also on `/`, 401 and 406, as with newer Barbican; the peer echoes the client’s',
  'no stray segments': 'what follows a leaf is 404; the peer answers 500',
  'no stray suffixes': 'file extensions and `index` are 404; the peer answers as without them',
  'repeated parameters': 'of a parameter given twice the last one counts; the peer answers 500',
  'no reserved names': 'parameters and members are never names inside the server; the peer fails on some with 500',
  'any character': 'characters beyond the BMP are stored; the peer’s database refuses them with 500',
  'stored type for any type': 'a payload asked for as `*/*` has its stored type; the peer sends `*/*` as the type',
  'transport keys':
    'asking for a transport key where there are none is the client’s fault on POST and nothing on GET; the peer answers 500',
  'undecodable payloads': 'a PUT body that is no base64 is the client’s fault, 400; the peer answers 500',
  'closed meta': '`meta` of an order keeps the members that clients know; the peer keeps and shows all',
  'absent types': '`payload_content_type: null` in an order is the same as none; the peer’s order ends in ERROR',
  'long HMAC keys': 'HMAC keys as long as their digest are made; the peer fails on 384 and 512 bits',
  'order types': 'certificates are not ordered, as with newer Barbican; the peer still takes such orders',
  'members of 401': 'beside the wrapped members a 401 has them at the top, where python-barbicanclient looks',
  'nothing is cached': 'every answer says `Cache-Control: no-store`; the peer leaves caches to guess',
  'always an answer': 'what makes the peer close the connection has the answer that the contract names',
  'tenant paths': 'the seeds ask for `/v1/{project_id}/…`; the peer has no such path',
} as const

export type Difference = keyof typeof differences

/** Whether the suite runs against the real Barbican. */
export const onPeer = peerUrl !== ''

/** Runs assertions that hold for this service and not for the peer. */
export async function differs(difference: Difference, assertions: () => unknown): Promise<void> {
  if (!onPeer || !differences[difference]) await assertions()
}

/** A whole test that is about a difference: it is not run against the peer. */
export const itDiffers = (difference: Difference) => it.skipIf(onPeer && differences[difference] !== undefined)

/** What the server under test is expected to answer where both answers are known. */
export function either<Ours, Peers>(difference: Difference, expected: { readonly ours: Ours; readonly peer: Peers }) {
  return onPeer && differences[difference] ? expected.peer : expected.ours
}

/** A time to the second, as the server under test writes it. */
export function timeOf(seconds: string, microseconds = '000000'): string {
  return either('times with microseconds', { ours: `${seconds}.${microseconds}`, peer: seconds })
}
