/** Limits of the use of keys. Sizes are in bytes, of a request over HTTP once base64 is decoded. */

export const MAX_INPUT_BYTES = 65_536
export const MAX_CONTEXT_BYTES = 8_192
/** More than any ciphertext is longer than its plaintext. */
const MAX_OVERHEAD_BYTES = 1_024
export const MAX_CIPHERTEXT_BYTES = MAX_INPUT_BYTES + MAX_OVERHEAD_BYTES
/** Four times the signature of the largest RSA key. */
export const MAX_SIGNATURE_BYTES = 4_096
/** Of a body over HTTP, to which MAX_REQUEST_BYTES does not apply, and of all bytes in a call through a binding. */
export const MAX_BODY_BYTES = 1_048_576
/** Items of a batch; fewer for RSA keys, whose private operations take up to 12 ms each. */
export const MAX_ITEMS = 100
export const MAX_RSA_ITEMS = 10
/** Of a version's number, which has four bytes in a ciphertext. */
export const MAX_VERSION = 4_294_967_295
