/**
 * Secrets that the service makes for application credentials. Scanners of source code and logs recognise them, and tell
 * by the checksum that a find is no coincidence:
 *
 *     pcac_ <43 random characters> <6 characters: CRC-32 of everything before them>
 *
 * All characters behind the prefix are digits and letters (base62), most significant first. 62⁴³ is more than 2²⁵⁶.
 */

/** How such a secret looks; `.github/SECURITY.md` states it for scanners. */
export const CREDENTIAL_SECRET = /pcac_[0-9A-Za-z]{49}/

const PREFIX = 'pcac_'
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_CHARACTERS = 43
/** 62⁶ is more than 2³². */
const CHECKSUM_CHARACTERS = 6
/** The multiples of 62 end here: a byte from here on would make some characters more frequent than others. */
const FAIR_BYTES = 248
/** The polynomial of CRC-32 (ISO 3309), reversed. */
const POLYNOMIAL = 0xedb88320
const BITS_PER_BYTE = 8

function randomCharacters(count: number): string {
  let text = ''
  while (text.length < count) {
    for (const byte of crypto.getRandomValues(new Uint8Array(count))) {
      if (byte < FAIR_BYTES && text.length < count) text += DIGITS[byte % DIGITS.length]
    }
  }
  return text
}

/** CRC-32 of a text of ASCII characters. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (let at = 0; at < text.length; at += 1) {
    crc ^= text.charCodeAt(at)
    for (let bit = 0; bit < BITS_PER_BYTE; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  while (digits.length < CHECKSUM_CHARACTERS) {
    digits = `${DIGITS[rest % DIGITS.length]}${digits}`
    rest = Math.floor(rest / DIGITS.length)
  }
  return digits
}

/** A new random secret. */
export function newCredentialSecret(): string {
  const text = PREFIX + randomCharacters(RANDOM_CHARACTERS)
  return text + checksum(text)
}

/** Whether the text has the form of such a secret and the right checksum. */
export function isCredentialSecret(text: string): boolean {
  const [found] = CREDENTIAL_SECRET.exec(text) ?? []
  return found === text && checksum(text.slice(0, -CHECKSUM_CHARACTERS)) === text.slice(-CHECKSUM_CHARACTERS)
}
