/**
 * Where this service answers otherwise than the peer, a Barbican 15, and means to: one name and reason for each. The
 * black-box suite, test/api, says by these names where it expects two answers; a difference that is not here is a bug.
 * Tests of Tempest and castellan that fail on purpose are in accepted-differences.md.
 */

/** Secrets, orders, versions and the conventions of all routes. */
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
  markers: 'lists take a `marker` beside `offset`; the peer knows none and ignores it',
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
  'unspoken payloads': 'a payload of the wrong type is not in the refusal; the peer quotes it',
  'undecodable payloads': 'a PUT body that is no base64 is the client’s fault, 400; the peer answers 500',
  'strict base64':
    'a payload that is not base64 is refused with 400; Barbican skips what is outside of the alphabet and stores other bytes than were sent, for example of base64url',
  'closed meta': '`meta` of an order keeps the members that clients know; the peer keeps and shows all',
  'absent types': '`payload_content_type: null` in an order is the same as none; the peer’s order ends in ERROR',
  'long HMAC keys': 'HMAC keys as long as their digest are made; the peer fails on 384 and 512 bits',
  'more key pairs':
    'RSA of 3072 bits, elliptic curves, Ed25519 and X25519 are made; the peer ends such orders in ERROR',
  'no DSA': 'an order for DSA, which FIPS 186-5 withdrew, ends in ERROR and says so; the peer makes such pairs',
  'order types':
    'certificate orders end with a certificate, can be updated, and their authority is shown; the peer has no authority',
  'bounded names': 'a `subject_dn` has at most 1,000 characters; the peer reads as many as a body has',
  'strict subjects':
    'a `subject_dn` that no certificate can carry is refused at once and says why; the peer takes what LDAP can read',
  'members of 401': 'beside the wrapped members a 401 has them at the top, where python-barbicanclient looks',
  'nothing is cached': 'every answer says `Cache-Control: no-store`; the peer leaves caches to guess',
  'always an answer': 'what makes the peer close the connection has the answer that the contract names',
  'tenant paths': 'the seeds ask for `/v1/{project_id}/…`; the peer has no such path',
} as const

/** Containers, consumers, metadata, ACLs, quotas, secret stores and transport keys. */
export const containerDifferences = {
  'exact container names': 'a name filter is that name; the peer matches it as a LIKE pattern without case',
  'refs that lead somewhere': 'refs to secrets that have expired are hidden with them; the peer keeps showing them',
  'added again': 'a pair that was removed from a container can be added again; the peer answers 500',
  'refs without a slash': 'a ref without any slash names its secret by id; the peer answers 500',
  'no read error': 'a body that is no JSON is 415 on every route; on one the peer answers 500 `Read Error`',
  'consumer of another': 'a consumer is found under its own secret or container only; the peer finds it under any',
  'consumer locations': 'the `Location` of a new consumer is the collection it is in; the peer’s leads nowhere',
  'content types of consumers': 'the secret in the answer has its `content_types`, as with newer Barbican',
  'long resource ids': 'a `resource_id` of more than 36 characters is the client’s fault, 400; the peer answers 500',
  'long metadata': 'a key or value of more than 255 characters is the client’s fault, 400; the peer answers 500',
  'every user of an ACL': 'all of `users` is checked; the peer looks at the first and takes or fails on the others',
  'numbers of quotas': 'a limit beyond 32 bits is the client’s fault, 400; the peer answers 500',
  'quotas of parallel requests': 'parallel requests never exceed a limit; the peer counts before it stores',
  'links to quotas': 'page links of project quotas lead to `/v1/project-quotas`; those of the peer to a 404',
  'no transport keys': 'no back end here has transport keys, so none can be added; the peer stores any text',
  'transport keys in JSON': 'a transport key that is not there is 404 for every `Accept`; the peer answers 500 or 406',
  'a second life of consumers': 'a consumer that comes back is a new one; the peer revives the row with its old time',
  'no crash over types': 'metadata is JSON whatever well-known type is asked for; the peer fails on some of them',
  'private stays private':
    'whoever may not read a private entity cannot change its ACL, fill it or see its consumers; the peer’s ACL controllers do not tell the rules that it is private, against their text, and its rules of payloads and consumers do not ask',
  'methods of transport keys': 'a method that there is not is 405; the peer closes the connection',
} as const
