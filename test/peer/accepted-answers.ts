/**
 * The intended differences from Barbican 15, by name. Each reason says what this service does, what Barbican does, and
 * why the difference is intended. The black-box suite, test/api, uses the names where it expects different responses;
 * any other difference is a bug. Tests of Tempest and castellan that fail intentionally are in accepted-differences.md.
 */

/** Secrets, orders, versions and the conventions of all routes. */
export const differences = {
  'times with microseconds':
    'Times are returned with microseconds, as in the API examples that this service was specified from. Barbican’s ' +
    'database only stores whole seconds. Finer times let clients order resources that were created in the same ' +
    'second.',
  'oldest first':
    'Without `sort`, secrets are listed in the order of their creation. Barbican lists them in no defined order. A ' +
    'defined order makes pages consistent: no secret is skipped or repeated.',
  'stable ties':
    'Secrets with equal sort keys are listed in the order of their creation. Barbican returns them in no defined ' +
    'order. A defined order makes pages consistent.',
  'exact names':
    'A name filter matches exactly this name. Barbican URL-decodes it twice and uses it as a case-insensitive LIKE ' +
    'pattern, so that it also finds other names. Clients expect a filter by name to find that name.',
  'exact algorithms':
    'In the filters `alg` and `mode`, `%` and `_` are ordinary characters. Barbican treats them as wildcards of a ' +
    'LIKE pattern. A filter should not depend on the syntax of the database.',
  'parts of meta':
    'The filter `meta` of the order list matches any substring of the `meta` in the response, literally. Barbican ' +
    'matches whole members only, and treats the value as a LIKE pattern. Clients can search for what they see.',
  'filters in UTC':
    'A UTC offset in a date filter is applied: the time is converted to UTC. Barbican ignores the offset and ' +
    'compares the local time, so that the filter is wrong by the offset.',
  'links keep the query':
    'The `next` and `previous` links contain all other query parameters, as in newer Barbican. Barbican 15 drops ' +
    'the filters, so that the next page belongs to another list.',
  markers:
    'Lists support `marker` as well as `offset`. Barbican ignores `marker`. A marker is cheaper in long lists, and ' +
    'stays correct when earlier entries are deleted.',
  'microversion 1.2':
    'The highest microversion is that of newer Barbican, because this service implements it. Barbican 15 supports ' +
    '1.1.',
  'a page for browsers':
    'A browser, which accepts HTML and does not name JSON, gets a page at `/` with the state of the service and links. ' +
    'Barbican answers with the version document, or 406. A person who opens the address should see what it is.',
  'always 405':
    'A method that a route does not support is 405 for every `Accept` header. Barbican may respond with 406 ' +
    'instead, depending on the header. The method is the actual error.',
  'always 404':
    'A path that does not exist is 404 for every `Accept` header. Outside `/v1`, Barbican may respond with 406 ' +
    'instead. The path is the actual error.',
  'Allow everywhere':
    'Every 405 lists the supported methods in `Allow`, as RFC 9110 requires. On some routes, Barbican omits them.',
  'project required':
    'A token without a project scope is 401, as in newer Barbican. Barbican 15 responds with 200 or 500. Every ' +
    'resource belongs to a project, so there is nothing that such a token could access.',
  'request ids':
    'Every response has a new request id, also on `/`, 401 and 406, as in newer Barbican. Barbican 15 reuses the id ' +
    'that the client sent. A client must not choose the ids that identify requests in the logs.',
  'no stray segments':
    'Additional path segments after a resource that has no children are 404. Barbican responds with 500. The path ' +
    'does not exist, which is an error of the client.',
  'no stray suffixes':
    'A path with a file extension or with `index` is 404. Barbican ignores both, a feature of its web framework ' +
    'that is not part of the API.',
  'repeated parameters':
    'If a query parameter is repeated, the last value is used. Barbican responds with 500, although the request is ' +
    'harmless.',
  'no reserved names':
    'Query parameters and body members with any unknown name are ignored. Barbican responds with 500 to some, such ' +
    'as `project_id`, because they collide with arguments of its functions.',
  'any character':
    'Every Unicode character can be stored. Barbican’s database rejects characters outside the Basic Multilingual ' +
    'Plane, such as emoji, and the response is 500.',
  'stored type for any type':
    'A payload that is requested with `Accept: */*` has its stored content type. Barbican responds with the content ' +
    'type `*/*`, which is not a media type.',
  'transport keys':
    'No back end of this service has transport keys. A POST that requests one is therefore 400, and a GET that ' +
    'requests one is answered without. Barbican responds with 500 in this case.',
  'unspoken payloads':
    'The error for a payload of the wrong JSON type does not contain the payload. Barbican quotes it, so that ' +
    'secret data can end up in logs.',
  'undecodable payloads':
    'A PUT whose body is not valid base64 is 400, because it is an error of the client. Barbican responds with 500.',
  'strict base64':
    'A payload that is not base64 is 400. Barbican skips characters outside of the alphabet and stores other bytes ' +
    'than were sent, for example of a payload in base64url.',
  'limits say so':
    'A JSON body over the limit is 413, and every 413 contains the limit. Barbican cuts the body off, so that it ' +
    'responds with 400 and `Malformed JSON`, and its 413 has no limit.',
  'stored bytes count':
    'The limit of payloads applies to their size as stored, for POST and PUT. Barbican measures the text as sent, so ' +
    'that the limit is a quarter lower for base64.',
  'whole characters':
    'Half of a surrogate pair in JSON is 400, because it is an error of the client. Barbican cannot store it and ' +
    'responds with 500.',
  'empty Accept':
    'An `Accept` header without a value counts as absent, because the platform drops such headers before the service ' +
    'receives them. Barbican returns the payload instead of the metadata.',
  'closed meta':
    'Only the documented members of the `meta` of an order are stored. Barbican stores and returns all members, and ' +
    'with them secret values such as passphrases.',
  'absent types':
    '`payload_content_type: null` in an order has the same meaning as no `payload_content_type`. In Barbican, such ' +
    'an order ends in ERROR.',
  'long HMAC keys':
    'HMAC keys can be as long as their digest, which RFC 2104 recommends. Barbican lists the algorithms, but fails ' +
    'on 384 and 512 bits.',
  'more key pairs':
    'Orders can generate RSA keys of 3072 bits, elliptic curve keys, Ed25519 and X25519, which are current ' +
    'algorithms. In Barbican, such orders end in ERROR.',
  'no DSA':
    'An order for a DSA key pair ends in ERROR with that reason, because FIPS 186-5 no longer approves DSA for ' +
    'signing. Barbican generates such pairs.',
  'order types':
    'Certificate orders issue certificates and can be updated by their creator or an admin of the project, and the ' +
    'project’s certificate authority can be read. Barbican ' +
    'has no certificate authority, although its clients still have commands for such orders.',
  'bounded names':
    'A `subject_dn` is limited to 1,000 characters, to bound the cost of parsing it. Barbican only limits the size ' +
    'of the whole body.',
  'strict subjects':
    'A `subject_dn` that no certificate can contain is rejected immediately, with the reason. Barbican accepts ' +
    'everything that its LDAP parser accepts, and the order could only fail later.',
  'members of 401':
    'A 401 has its members both in the wrapped form and at the top level, where python-barbicanclient looks for the ' +
    'message. Barbican only has the wrapped form.',
  'nothing is cached':
    'Every response has `Cache-Control: no-store`, so that no cache stores a secret. Barbican sends no such header, ' +
    'and leaves the decision to each cache.',
  'always an answer':
    'Unusual requests, such as paths with invalid escapes, get the regular error response. Barbican closes the ' +
    'connection, and the client cannot tell what was wrong.',
  'tenant paths':
    'All routes also exist under `/v1/{project_id}/…`, as the specification of this service requires. Barbican does ' +
    'not have these paths.',
  'versions of secrets':
    'A secret has versions, below `/v1/secrets/{id}/versions`, and answers with the number of the current one as ' +
    '`ETag`. A PUT with `If-Match` makes a version of a secret that has a payload. In Barbican these paths are 404, ' +
    'and every second PUT is 409.',
} as const

/** Containers, consumers, metadata, ACLs, quotas, secret stores and transport keys. */
export const containerDifferences = {
  'exact container names':
    'A name filter matches exactly this name. Barbican uses it as a case-insensitive LIKE pattern, so that it also ' +
    'finds other names. Clients expect a filter by name to find that name.',
  'refs that lead somewhere':
    'A container does not list refs to secrets that have expired. Barbican continues to list them, although a GET ' +
    'of such a ref is 404.',
  'added again':
    'A secret that was removed from a container can be added again under the same name. Barbican responds with 500, ' +
    'although the pair is no longer in the container.',
  'refs without a slash':
    'A `secret_ref` without a slash is accepted as the id of a secret. Barbican responds with 500.',
  'no read error':
    'A body that is not JSON is 415 on every route. On one route, Barbican responds with 500 and the message `Read ' +
    'Error`. The content type is an error of the client.',
  'consumer of another':
    'A consumer can only be read through its own secret or container. Barbican returns it through any other too, so ' +
    'that access to the real one is not required.',
  'consumer locations':
    'The `Location` of a new consumer is the collection of consumers that contains it. In Barbican it is a path ' +
    'that does not exist.',
  'content types of consumers':
    'The response to a new consumer contains the secret with its `content_types`, as in newer Barbican. Barbican 15 ' +
    'omits them.',
  'long resource ids':
    'A `resource_id` of more than 36 characters is 400, because it is an error of the client. Barbican responds ' +
    'with 500.',
  'long metadata':
    'A metadata key or value of more than 255 characters is 400, because it is an error of the client. Barbican ' +
    'responds with 500.',
  'every user of an ACL':
    'Every entry of `users` in an ACL is validated. Barbican only validates the first, and either stores invalid ' +
    'entries or fails on them.',
  'numbers of quotas':
    'A quota that does not fit in 32 bits is 400, because it is an error of the client. Barbican responds with 500.',
  'ids of projects':
    'Quotas can only be set for ids that a project can have: up to 64 letters, digits, `-` and `_`. Barbican stores ' +
    'any text.',
  'quotas of orders':
    'What an order makes counts against the limits of secrets and containers as soon as the order is placed, and an ' +
    'order without room is refused. In Barbican no limit holds for what orders make.',
  'bounded metadata':
    'A secret has at most 128 pairs of metadata, of at most 16,384 bytes together. Barbican has no limit.',
  'quotas of parallel requests':
    'Parallel requests cannot exceed a quota, because it is checked in the statement that inserts the row. Barbican ' +
    'counts first and inserts later, so that parallel requests can exceed it.',
  'links to quotas':
    'The page links of project quotas lead to `/v1/project-quotas`. In Barbican they lead to a path that is 404.',
  'no transport keys':
    'Transport keys cannot be added, because no back end of this service could use them. Barbican stores any text ' +
    'as a transport key.',
  'transport keys in JSON':
    'A transport key that does not exist is 404 for every `Accept` header. Barbican responds with 500 or 406, ' +
    'depending on the header.',
  'a second life of consumers':
    'A consumer that is removed and registered again has a new creation time. Barbican restores the deleted row ' +
    'with its old time.',
  'no crash over types':
    'Metadata is returned as JSON also if `Accept` has another well-known type, such as `text/html`. Barbican ' +
    'responds to some of these types with 500.',
  'private stays private':
    'A user who may not read a private entity can neither change its ACL, nor set its payload, nor see its consumers. ' +
    'The text of Barbican’s policy forbids the first, but its ACL controllers do not pass the privacy to the policy ' +
    'engine; its rules for payloads and for a single consumer do not check it.',
  'methods of transport keys':
    'A method that transport keys do not support is 405. Barbican closes the connection, and the client cannot tell ' +
    'what was wrong.',
} as const
