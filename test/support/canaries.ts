/** Secret values that must not be found where they do not belong, in any form. */

const bytesOf = (value: string | Uint8Array) => (typeof value === 'string' ? new TextEncoder().encode(value) : value)

/** One character U+0000 to U+00FF for each byte. */
export const latin1 = (bytes: Uint8Array): string =>
  Array.from({ length: Math.ceil(bytes.length / 8192) }, (_, at) =>
    String.fromCharCode(...bytes.subarray(at * 8192, (at + 1) * 8192)),
  ).join('')

/** The characters of base64 that the value alone decides when it begins at this offset of a group of three bytes. */
function base64At(value: Uint8Array, offset: number): string {
  const text = btoa(latin1(new Uint8Array([...new Uint8Array(offset), ...value])))
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + value.length) * 8) / 6))
}

/** A value as it is, in hexadecimal digits, and in base64 of either alphabet at any offset. */
export function formsOf(given: string | Uint8Array): string[] {
  const value = bytesOf(given)
  const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const base64 = [0, 1, 2].map((offset) => base64At(value, offset))
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  return [latin1(value), hex, hex.toUpperCase(), ...base64, ...url]
}

/** The names of the canaries that are in the text or bytes in some form. */
export function leaked(
  canaries: Readonly<Record<string, string | Uint8Array>>,
  where: string | Uint8Array,
): readonly string[] {
  const text = latin1(bytesOf(where))
  return Object.entries(canaries).flatMap(([name, value]) =>
    formsOf(value).some((form) => text.includes(form)) ? [name] : [],
  )
}
