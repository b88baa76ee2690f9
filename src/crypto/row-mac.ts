/**
 * MACs of database rows. They prevent access decisions from being based on a row that was not written by this service.
 *
 *     row key = HKDF-SHA-256(authentication key of the deployment, info: context of "row-key", format, project) → 32 bytes
 *     MAC     = base64 of HMAC-SHA-256(row key, UTF-8 of the JSON list ["portcullis", "row", format, table,
 *               name of a column, its value, …])
 *
 * Columns that are null are left out, so that a nullable column that is added later changes no MAC of the rows before
 * it. The context of a key is encoded as in the envelope. Different rows have different lists, and the encoding of a
 * value begins with the letter of its type, so that a number differs from a string with the same digits. The table and
 * the project are part of the input, so a MAC is not valid in another table or project.
 */
import { context } from './envelope.ts'

const FORMAT = '1'
const MAC_BYTES = 32
const MAC_TEXT = /^[A-Za-z0-9+/]{43}=$/

/** The value of a column. */
export type ColumnValue = string | number | boolean | Uint8Array | null

/** The authenticated content of a row: its table, its columns in a fixed order, and their values in the same order. */
export interface RowContent {
  readonly table: string
  readonly columns: readonly string[]
  readonly values: readonly ColumnValue[]
}

/** Derives the key for one project's rows from the authentication key; the empty project is the deployment itself. */
export function deriveRowKey(material: CryptoKey, project: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: context('portcullis', 'row-key', FORMAT, project) },
    material,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign', 'verify'],
  )
}

function encoded(value: Exclude<ColumnValue, null>): string {
  if (typeof value === 'string') return `s${value}`
  if (typeof value === 'number') return `i${value}`
  if (typeof value === 'boolean') return value ? 'b1' : 'b0'
  // D1 returns a BLOB in a text column as an array of numbers.
  return `x${Uint8Array.from(value).toBase64()}`
}

const utf8 = new TextEncoder()

function messageOf({ table, columns, values }: RowContent): Uint8Array {
  const fields = ['portcullis', 'row', FORMAT, table]
  for (const [at, name] of columns.entries()) {
    const value = values[at] ?? null
    if (value !== null) fields.push(name, encoded(value))
  }
  return utf8.encode(JSON.stringify(fields))
}

/** Returns the MAC of a row: 44 characters. */
export async function rowMac(key: CryptoKey, row: RowContent): Promise<string> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, messageOf(row))).toBase64()
}

/** Verifies `mac` for a row in constant time; false if it is not a string in the format of a MAC. */
export async function isRowMac(key: CryptoKey, row: RowContent, mac: unknown): Promise<boolean> {
  if (typeof mac !== 'string' || !MAC_TEXT.test(mac)) return false
  const bytes = Uint8Array.fromBase64(mac)
  return bytes.length === MAC_BYTES && crypto.subtle.verify('HMAC', key, bytes, messageOf(row))
}
