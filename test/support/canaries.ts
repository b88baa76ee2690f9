/** Canaries: secret values whose encodings are searched for where they must not be. */

const bytesOf = (value: string | Uint8Array) => (typeof value === 'string' ? new TextEncoder().encode(value) : value)

/** Converts each byte to one character, U+0000 to U+00FF. */
export const latin1 = (bytes: Uint8Array): string =>
  Array.from({ length: Math.ceil(bytes.length / 8192) }, (_, at) =>
    String.fromCharCode(...bytes.subarray(at * 8192, (at + 1) * 8192)),
  ).join('')

/**
 * Returns the base64 characters that depend only on the value, if it starts at this offset in a group of three bytes.
 */
function base64At(value: Uint8Array, offset: number): string {
  const text = btoa(latin1(new Uint8Array([...new Uint8Array(offset), ...value])))
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + value.length) * 8) / 6))
}

/** Returns the encodings of a value: unchanged, hexadecimal, and base64 and base64url at any offset. */
export function formsOf(given: string | Uint8Array): string[] {
  const value = bytesOf(given)
  const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const base64 = [0, 1, 2].map((offset) => base64At(value, offset))
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  return [latin1(value), hex, hex.toUpperCase(), ...base64, ...url]
}

/** Returns the names of the canaries that the text or bytes contain in some encoding. */
export function leaked(
  canaries: Readonly<Record<string, string | Uint8Array>>,
  where: string | Uint8Array,
): readonly string[] {
  const text = latin1(bytesOf(where))
  return Object.entries(canaries).flatMap(([name, value]) =>
    formsOf(value).some((form) => text.includes(form)) ? [name] : [],
  )
}
