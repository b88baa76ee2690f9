/** Small faults in secrets, ACLs, containers and consumers. */
import { inFile } from './fault.ts'

export const inSecrets = [
  ...inFile(
    'state/acls',
    ['state/overtaken-rows', 'state/conflicts'],
    [', eq(table.mac, subject.mac))', ')', 'an ACL is written over a row that has changed'],
    ["return changed > 0 ? 'stored' : CONFLICT", "return 'stored'", 'an ACL that was not stored is confirmed'],
    [
      'given.projectAccess ?? before?.projectAccess ?? true',
      'given.projectAccess ?? true',
      'PATCH opens a private secret',
    ],
    ['read = null\n', '', 'a conflict is repeated with the same old row'],
    ['set({ ...aclRow(acl), mac, updated })', 'set({ ...aclRow(acl), updated })', 'an ACL is stored without a new MAC'],
  ),
  ...inFile(
    'state/secrets/secret-readers',
    ['api/acls', 'state/read-cache', 'threats/rights'],
    [
      'change(build.delete(secretReaders).where(inArray(secretReaders.secretId, ids))),',
      '',
      'who was taken off the ACL stays in the index',
    ],
  ),
  ...inFile(
    'state/acls',
    ['api/acls', 'state/read-cache', 'threats/rights'],
    ["kind === 'secret' ? indexReaders([subject.id]) : []", '[]', 'the readers of a secret do not find it'],
    [
      'const before = replace ? null : current.acl',
      'const before = replace && !current.acl ? null : current.acl',
      'PUT keeps users that it does not name',
    ],
    ['[...new Set(given.users)]', '[...given.users]', 'a user is on an ACL twice'],
    ["action === 'update' ? backend.now : subject.updated", 'subject.updated', 'an ACL does not update the secret'],
    ['created: current.acl?.created ?? backend.now', 'created: backend.now', 'an ACL forgets when it was made'],
    ["current.acl === null ? 'stored' :", '', 'a deletion of no ACL has an event'],
  ),
  ...inFile(
    'state/secrets/secrets',
    ['state/overtaken-rows', 'state/races', 'state/conflicts', 'state/sealed-rows'],
    [
      'isNull(secrets.sealed), eq(secrets.mac, secret.mac)',
      'isNull(secrets.sealed)',
      'a payload is written over a row that has changed',
    ],
    ["if (current.hasPayload) throw fault('payloadExists')", '', 'a second payload ends in another failure'],
    [
      'current ??= await findSecret(backend, secret.id)',
      'current ??= secret',
      'a conflict is repeated with the same old row',
    ],
  ),
  ...inFile(
    'state/secrets/secrets',
    ['api/secrets', 'api/quotas', 'api/secret-payload', 'state/audit'],
    [
      'const isUnused = unlessConsumed ? unused : undefined',
      'const isUnused = undefined',
      'a secret with consumers is deleted without force',
    ],
    [
      "found.length > 0 ? 'hasConsumers' : 'secretNotFound'",
      "'secretNotFound'",
      'a secret with consumers is said to be absent',
    ],
    [
      'if (changed === 0) throw await refusalOf(backend, projectId)\n    return row.id',
      'return row.id',
      'a secret beyond the quota is confirmed',
    ],
    [
      "changeOf(secret, 'read', target)",
      "changeOf(secret, 'update', 'secret/payload')",
      'a read is in the log as a change',
    ],
    [
      "if (!sealed) throw fault('noPayload')",
      "if (!sealed) throw fault('secretNotFound')",
      'a secret without a payload is said to be absent',
    ],
    [
      "described.name ?? (backend.nameDefault === 'id' ? id : null)",
      'described.name ?? id',
      'secrets without a name get one',
    ],
    ['creatorId: caller.userId,', 'creatorId: caller.projectId,', 'a secret belongs to nobody'],
    [
      "changeOf(row, 'create', 'secret', row.mac)",
      "changeOf(row, 'create', 'secret')",
      'the ledger does not know a new secret',
    ],
  ),
  ...inFile(
    'state/secrets/secret-rows',
    ['threats/forged-rows', 'api/secrets', 'state/expiry'],
    ["await requireAuthentic(scope, 'secrets', protectedRow(row))", '', 'a forged secret is used'],
    ['> ${now})`', '>= ${now})`', 'a secret is shown at its expiry'],
    [
      'and ${secrets.projectId} = ${secret.projectId}',
      '',
      'a secret is found in any project',
      'ids are unique, and the project of an authentic row is its own',
    ],
    ['hasPayload: row.hasPayload === 1', 'hasPayload: true', 'a secret without a payload refuses one'],
  ),
  ...inFile(
    'state/secrets/secret-list',
    ['threats/forged-rows', 'api/secret-list', 'wire/filters'],
    [
      ' and exists (select 1 from json_each(${secrets.aclUsers}) where value = ${userId})',
      '',
      'a forged index of readers shows a secret',
    ],
    [
      "const authenticRows = await authentic(scope, 'secrets', read.items.map(protectedRow))",
      'const authenticRows = read.items',
      'forged secrets are listed',
    ],
    [', live(scope.now))', ')', 'expired secrets are listed'],
    ['filter.name === undefined ? undefined : eq(secrets.name, filter.name),', '', 'a filter of names has no effect'],
    ['= ${value} collate nocase`', '= ${value}`', 'a filter of algorithms respects case'],
    [
      '...timeConditions(secrets.updated, filter.updated)',
      '...timeConditions(secrets.created, filter.updated)',
      'a filter looks at the wrong time',
    ],
    ["direction === 'asc' ? asc(column) : desc(column)", 'asc(column)', 'a list cannot be sorted downwards'],
    ['return [...terms, asc(secrets.seq)]', 'return [asc(secrets.seq), ...terms]', 'a list is never sorted'],
    ['count: filter.onAcl ? undefined :', 'count:', 'the total of a list of shared secrets is that of the project'],
  ),
  ...inFile(
    'state/secrets/expiry',
    ['state/expiry', 'state/audit'],
    ["await authentic(scope, 'secrets', expired.map(protectedRow))", 'expired', 'a forged expiration deletes a secret'],
    ['lte(expiration, scope.now)', 'sql`${expiration} < ${scope.now}`', 'a secret stays at the moment it expires'],
    [
      "changeOf(secret, 'delete', 'secret')",
      "changeOf(secret, 'update', 'secret')",
      'an expiry is no deletion in the log',
    ],
    ["last = { expiration: end.expiration ?? '', seq: end.seq }", '', 'a sweep reads one page again and again'],
  ),
  ...inFile(
    'state/secrets/secret-metadata',
    ['api/secret-metadata', 'state/audit'],
    [
      "throw reason[0]?.taken === 0 && reason[0].full === 1 ? metadataFull() : fault('metadatumExists')",
      '',
      'a key that exists is confirmed and not stored',
    ],
    [
      "if (changed === 0) throw found.length > 0 ? metadataFull() : fault('metadatumNotFound')",
      '',
      'a change of no key is confirmed',
      'the route has looked for the key before; only a deletion at the same moment differs',
    ],
    [
      'removed: change(build.delete(secretMetadata).where(eq(secretMetadata.secretId, secret.id))),',
      '',
      'PUT of metadata keeps old pairs',
    ],
    [
      "changeOf(secret, 'delete', 'secret/metadata')",
      "changeOf(secret, 'update', 'secret/metadata')",
      'a removal is a change in the log',
    ],
    [
      'eq(secretMetadata.secretId, secret.id), eq(secretMetadata.key, key)',
      'eq(secretMetadata.key, key)',
      'a key is changed in every secret',
    ],
  ),
  ...inFile(
    'state/secrets/secret-reads',
    ['state/read-cache'],
    ['secret.expiration <= now', 'secret.expiration < now', 'an expired secret is shown from the cache'],
    [
      'set(id, { secret: null, since: now, changed: observed.bookmark })',
      'get(id)',
      'a change does not evict the secret',
    ],
    [
      "db.from === 'first-unconstrained' && isWithin",
      'isWithin',
      'a request with a bookmark is answered from the cache',
    ],
    [
      '(withConsumers && cached.secret.consumers === null)',
      'false',
      'a cached secret without consumers is shown with them',
    ],
    ['entries: MOST_CACHED,', 'entries: MOST_CACHED * 2,', 'the cache is larger than it says'],
  ),
  ...inFile(
    'state/connect',
    ['state/read-cache'],
    ["|| target.startsWith('secret/')", '', 'a change of an ACL does not evict the secret'],
    ['if (isOfSecret(change)) evictSecret(db, now, change.id)', '', 'no change evicts a secret'],
  ),
  ...inFile(
    'state/consumers',
    ['state/read-cache', 'api/consumers', 'state/foreign-events'],
    [
      'sendToObject(backend, secret.projectId',
      'sendToObject(backend, caller.projectId',
      'consumers of one secret go through different objects',
      'the statement itself checks its preconditions; the object only groups',
    ],
    [
      'projectId: caller.projectId, identity',
      'projectId: entityProjectId, identity',
      'a consumer counts for the project of the entity',
    ],
    [
      'eq(secretConsumers.id, consumerId), eq(secretConsumers.secretId, id)',
      'eq(secretConsumers.id, consumerId)',
      'a consumer of another secret is shown',
    ],
    [
      'eq(containerConsumers.id, consumerId), eq(containerConsumers.containerId, id)',
      'eq(containerConsumers.id, consumerId)',
      'a consumer of another container is shown',
    ],
  ),
  ...inFile(
    'state/object/consumer-mutations',
    ['state/foreign-events', 'api/consumers', 'state/audit', 'threats/rights'],
    [
      '({ entityId: id, entityProjectId: projectId }: Registration) => ({ id, projectId })',
      '({ entityId: id, projectId }: Registration) => ({ id, projectId })',
      'the event of a consumer is in the log of another project',
    ],
    ['and(isRegistered, ofCaller)', 'isRegistered', 'a project removes the consumer of another one'],
    ['and ${isNew} and ${exists}', 'and ${exists}', 'a consumer is registered twice'],
    [
      "row?.registered === 1 ? 'consumerForeign' : 'consumerNotFound'",
      "'consumerNotFound'",
      'a foreign consumer is said to be absent',
    ],
    [
      "containerConsumers,\n  'containerConsumers',",
      "containerConsumers,\n  'secretConsumers',",
      'consumers of secrets count as those of containers',
    ],
  ),
  ...inFile(
    'state/containers/containers',
    ['api/containers', 'api/container-secrets', 'api/quotas', 'threats/rights'],
    ['and not exists (select 1 from ${absent})', '', 'a container names a secret that does not exist'],
    ['and ${containerSecrets.name} is ${name}', '', 'a pair is found by its secret alone'],
    ['const isMember = sql`exists', 'const isMember = sql`not exists', 'a secret is added to a container twice'],
    [
      "throw fault(found.length > 0 ? 'notIssued' : 'containerNotFound')",
      "throw fault('containerNotFound')",
      'a container without a certificate is said to be absent',
    ],
    ["if (changed === 0) throw fault('secretNotInContainer')", '', 'a removal of no secret is confirmed'],
  ),
]
