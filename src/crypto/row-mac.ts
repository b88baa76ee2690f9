/**
 * Codes that rows are authenticated by: who may read or change what is not taken from a row that anybody could have
 * written.
 *
 *     row key = HKDF-SHA-256(authentication key of the deployment, info: context of "row-key", format, project) → 32 bytes
 *     code    = base64 of HMAC-SHA-256(row key, UTF-8 of the JSON list ["portcullis", "row", format, table,
 *               name of a column, its value, …])
 *
 * Columns that are null are left out: a nullable column that is added later changes no MAC of the rows before it.
 *
 * The context of a key is that of the envelope. No two rows share a list, and a value begins with the letter of its
 * type, so a number does not pass for a text. A row of another table or project has another code.
 */
import { context } from './envelope.ts'

const FORMAT = '1'
const MAC_BYTES = 32
const MAC_TEXT = /^[A-Za-z0-9+/]{43}=$/

/** What a column holds. */
export type ColumnValue = string | number | boolean | Uint8Array | null

/** A row as it is authenticated: its table, the names of its columns in a fixed order, and their values in the same. */
export interface RowContent {
  readonly table: string
  readonly columns: readonly string[]
  readonly values: readonly ColumnValue[]
}

/** The key of one project's rows below the deployment's authentication key; the empty project is the deployment itself. */
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
  // As it is stored: UTF-8 has no lone surrogates.
  if (typeof value === 'string') return `s${value.toWellFormed()}`
  if (typeof value === 'number') return `i${value}`
  if (typeof value === 'boolean') return value ? 'b1' : 'b0'
  // Bytes where the column has text come as a list of numbers.
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

/** The code of a row: 44 characters. */
export async function rowMac(key: CryptoKey, row: RowContent): Promise<string> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, messageOf(row))).toBase64()
}

/** Whether `mac` is the code of the row, compared in constant time; false for whatever is none. */
export async function isRowMac(key: CryptoKey, row: RowContent, mac: unknown): Promise<boolean> {
  if (typeof mac !== 'string' || !MAC_TEXT.test(mac)) return false
  const bytes = Uint8Array.fromBase64(mac)
  return bytes.length === MAC_BYTES && crypto.subtle.verify('HMAC', key, bytes, messageOf(row))
}
