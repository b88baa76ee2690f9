/** Small faults in the use of keys. */
import { inFile } from './fault.ts'

export const inTransit = [
  ...inFile(
    'crypto/transit/ciphertexts',
    ['crypto/transit/ciphertexts'],
    ['ciphertext.length < OVERHEAD_BYTES', 'ciphertext.length < 22', 'a ciphertext without a tag is read'],
    ['named?.id !== key.id', 'named === null', 'a ciphertext of another secret is opened'],
    ['additionalData.set(clientContext, HEADER_BYTES)', '', 'the context of the client is not authenticated'],
    [
      'crypto.getRandomValues(header.subarray(SALT_AT))',
      'crypto.getRandomValues(header.subarray(NONCE_AT))',
      'messages share a key',
    ],
    [
      'return new Uint8Array(await crypto.subtle.decrypt(algorithm, messageKey, ciphertext.subarray(HEADER_BYTES)))',
      'return ciphertext.slice(HEADER_BYTES)',
      'nothing is decrypted',
    ],
  ),
  ...inFile(
    'crypto/transit/ecdsa',
    ['crypto/transit/signatures'],
    ['elements?.length !== 2', '!elements || elements.length < 2', 'a signature has more than two numbers'],
    ['first >= 0x80 ||', '', 'a negative number is read as a positive one'],
    ['(digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits', 'digits', 'a number is encoded as a negative one'],
  ),
  ...inFile(
    'crypto/transit/rsa-digests',
    ['crypto/transit/signatures'],
    ['& (0xff >> zeroBits)', '', 'a PSS encoding is larger than the modulus'],
    [
      'encoded.length === expected.length && timingSafeEqual(encoded, expected)',
      'true',
      'every signature of a digest is valid',
    ],
  ),
  ...inFile(
    'crypto/transit/signatures',
    ['crypto/transit/signatures', 'transit/signing'],
    [
      "kind !== 'rsa' && plain.length !== 2 * halfBytes",
      'false',
      'a signature of a wrong length is an error of the service',
    ],
    ['if (!fitting.includes(name))', 'if (false)', 'an algorithm is used with a key that it is not for'],
    ["prehashed && chosen.kind !== 'rsa'", 'false', 'an elliptic key signs a digest as a message'],
  ),
  ...inFile(
    'state/secrets/secrets',
    ['transit/keys'],
    ["if (!isExtractable(secret)) throw fault('notExtractable')", '', 'a key that cannot be extracted is read'],
  ),
  ...inFile(
    'state/secrets/key-uses',
    ['transit/keys'],
    ['isWider || (extractable === true && !isExtractable(current))', 'isWider', 'a key becomes extractable again'],
    ['usages?.some((usage) => !present.includes(usage)) === true', 'false', 'usages are widened'],
  ),
  ...inFile(
    'state/secrets/used-keys',
    ['transit/encryption', 'transit/signing', 'transit/keys'],
    ["if (!allowsOperation(secret, operation)) throw fault('keyUsage', operation)", '', 'usages are not asked'],
    ['bytes.length < LEAST_MAC_KEY_BYTES', 'false', 'a key of 64 bits makes codes'],
  ),
  ...inFile(
    'state/secrets/secret-versions',
    ['transit/rotated-keys', 'state/budgets', 'threats/storage'],
    [
      "const row = await requireAuthentic(backend, 'secretVersions', found)",
      'const row = found',
      'a forged version of a key is used',
    ],
    [
      "if (row.destroyed !== null) throw fault('versionIsDestroyed', String(number))",
      '',
      'a destroyed version is an error of the service',
    ],
    [
      "json_each(${sql.placeholder('numbers')}))`",
      "json_each(${sql.placeholder('numbers')}) limit 1)`",
      'a batch opens one older version',
    ],
  ),
  ...inFile(
    'wire/transit/encryption',
    ['transit/encryption', 'transit/rotated-keys', 'wire/key-manager-uses'],
    ['named?.id === key.secret.id && (', '(', 'a ciphertext of another secret is tried'],
    [
      '(version === undefined || version === named.version)',
      'true',
      'a version that is asked for is not compared with that of the ciphertext',
    ],
    ['!key.has(named.version)', 'false', 'a version that never was is another failure'],
    ['version ?? keyNamedIn(ciphertext)?.version', 'version', 'the version that a ciphertext names is not read'],
    ['context: item.newContext', 'context: item.context', 'a new context is not used'],
    ['if (item.shown)', 'if (true)', 'a data key that was not asked for in clear is shown'],
  ),
  ...inFile(
    'wire/transit/uses',
    ['wire/key-manager-uses', 'transit/encryption', 'transit/keys'],
    ['isRsa && items.length > MAX_RSA_ITEMS', 'false', 'a batch for an RSA key is as long as any'],
    ["config.auditReads === 'strict'", 'false', 'the use of keys is not recorded'],
    [
      'results.some(isUnopened) && (await isWritable(backend))',
      'false',
      'ciphertexts that do not open are not recorded',
    ],
    ['&& (await isWritable(backend))', '', 'an event is written while the service is read-only'],
  ),
  ...inFile(
    'wire/transit/binding-uses',
    ['wire/key-manager-uses'],
    ['if (given.length > max) throw', 'if (false) throw', 'bytes over a binding have no limit'],
    ['if (all > MAX_BODY_BYTES)', 'if (false)', 'a batch over a binding has no limit of bytes'],
    ['Object.hasOwn(boundUses, name)', 'name in boundUses', 'a use is looked for in the prototype'],
    ['raw.newContext ?? raw.context', 'raw.newContext', 'a rewrapped ciphertext loses its context'],
  ),
  ...inFile(
    'state/orders/certificate-orders',
    ['transit/keys'],
    [
      "if (key.projectId !== order.projectId || !allowsOperation(key, 'sign')) return false",
      '',
      'an order signs with any key',
    ],
    [
      '(!key.private && key.use?.projectAccess !== false)',
      'true',
      'an order signs with a key that is closed to its user',
    ],
  ),
  ...inFile(
    'access/policy',
    ['access/policy', 'transit/keys'],
    [
      'operation === undefined ? grants.length > 0 : grants.includes(operation)',
      'grants.length > 0',
      'a grant is for every operation',
    ],
    ['!target.private && target.use?.projectAccess !== false', '!target.private', 'the ACL of use closes nothing'],
  ),
]
