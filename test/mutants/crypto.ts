/** Small faults in seals, keys, MACs and the hash chain. */
import { inFile } from './fault.ts'

export const inCrypto = [
  ...inFile(
    'crypto/envelope',
    ['crypto/envelope', 'threats/keys'],
    [
      'crypto.getRandomValues(new Uint8Array(NONCE_BYTES))',
      'crypto.getRandomValues(new Uint8Array(NONCE_BYTES)).fill(0, 0, 4)',
      'a nonce has four constant bytes',
    ],
    ['const NONCE_BYTES = 12', 'const NONCE_BYTES = 16', 'the format of sealed values changes'],
    [
      'place.project, place.kind, place.id, String(version)',
      'place.project, place.kind, String(version)',
      'a value opens in another row',
    ],
    ['String(FORMAT), place.project, place.kind,', 'String(FORMAT), place.kind,', 'a value opens in another project'],
    ['place.project, place.kind, place.id,', 'place.project, place.id,', 'a passphrase opens as a payload'],
    [
      "const algorithm = { name: 'AES-GCM', iv, additionalData: associated }",
      "const algorithm = { name: 'AES-GCM', iv }",
      'nothing is bound to its place by associated data',
    ],
    ['view.setUint32(at, written)', 'view.setUint32(at, 0)', 'different lists of fields have one encoding'],
    [
      'keyVersionOf(sealed) !== version',
      'false',
      'the version in the header is not compared',
      'the version is also in the context, so that a value under another one does not open',
    ],
    ['|| sealed[0] !== FORMAT)', ')', 'a value of an unknown format is opened'],
    [
      '    false,\n    usages,',
      '    true,\n    usages,',
      'derived keys can be exported',
      'no part of the service exports a key; the flag is a second barrier',
    ],
  ),
  ...inFile(
    'crypto/keyring',
    ['crypto/keyring', 'crypto/published-vectors', 'crypto/envelope'],
    ['LEAST_DISTINCT_BYTES = 16', 'LEAST_DISTINCT_BYTES = 2', 'a master key of two bytes is accepted'],
    ['byte >= 0x20 && byte < 0x7f', 'false', 'a text is accepted as a master key'],
    ['if (bytes.length !== MASTER_KEY_BYTES)', 'if (bytes.length < 16)', 'a short master key is accepted'],
    ['& 0xff) === step', '& 0xff) === -1', 'a sequence is accepted as a master key'],
    ['if (keys.has(id)) throw', 'if (false) throw', 'an id that stands twice loses a key'],
    [
      'place.project, place.store, String(place.version)',
      'place.project, String(place.version)',
      'a key opens in another store',
    ],
    [
      "'project-key', String(FORMAT), place.project,",
      "'project-key', String(FORMAT),",
      'a key opens in another project',
    ],
    ['place.store, String(place.version))', 'place.store)', 'a key opens as another version'],
    ["'signing', purpose", "'signing'", 'one key signs for every purpose'],
    ["algorithm, 'HKDF', false, [", "algorithm, 'HKDF', true, [", 'project keys can be exported'],
    [
      'if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0)',
      'if (text.length % 4 !== 0)',
      'text that is no base64 is no failure of the configuration',
    ],
  ),
  ...inFile(
    'crypto/row-mac',
    ['crypto/row-mac'],
    ["'row-key', FORMAT, project", "'row-key', FORMAT", 'rows of one project are authentic in another'],
    ["['portcullis', 'row', FORMAT, table]", "['portcullis', 'row', FORMAT]", 'a row is authentic in another table'],
    ['fields.push(name, encoded(value))', 'fields.push(encoded(value))', 'columns can be swapped'],
    ['return `s${value}`', 'return value', 'the form of the MAC changes'],
    ['return `i${value}`', 'return `s${value}`', 'a number and a text have one MAC'],
    ["const FORMAT = '1'", "const FORMAT = '2'", 'every stored MAC is lost'],
    ['if (value !== null) fields', 'fields', 'a nullable column that is added later breaks every MAC'],
    ['|| !MAC_TEXT.test(mac)) return false', ') return false', 'a MAC that is no base64 throws'],
  ),
  ...inFile(
    'crypto/event-chain',
    ['crypto/event-chain'],
    ['if (event.number !== number)', 'if (false)', 'an event that was removed is not found'],
    ['if (event.previous !== expected)', 'if (false)', 'events that were moved are not found'],
    ['if (event.hash !== hash)', 'if (false)', 'an altered event is not found'],
    ['Object.keys(given).toSorted()', 'Object.keys(given)', 'the order of members changes the hash'],
    ["'0'.repeat(64)", "'1'.repeat(64)", 'the chain has another beginning'],
    [
      'before?.hash ?? (number === 1 ? GENESIS : event.previous)',
      'before?.hash ?? event.previous',
      'a first event may follow another one',
    ],
  ),
  ...inFile(
    'crypto/encoding',
    ['crypto/encoding', 'wire/payload'],
    ['fatal: true', 'fatal: false', 'bytes that are no UTF-8 are returned as other text'],
  ),
]
