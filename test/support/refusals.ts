/** The format of error responses in the API, with their titles and longer descriptions. */
import { expect } from 'vitest'
import type { Answer } from './client.ts'
import { either } from './differences.ts'

/** The titles by status, in Barbican's spelling. */
export const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
}

/** Asserts that the response is this error: the status, the content type and the whole body. */
export function expectRefusal(answer: Answer, status: number, description: string | null): void {
  expect(answer.json).toEqual({ code: status, title: titles[status], description })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('Content-Type')).toBe('application/json')
}

/** Returns the description of a schema violation; `property` is null if it concerns the whole document. */
export function mismatch(schema: string, reason: string, property: string | null): string {
  return `Provided object does not match schema '${schema}': ${reason}. Invalid property: '${property ?? 'None'}'`
}

export const notPermitted = (operation: string): string =>
  `${operation} attempt not allowed - please review your user/project privileges`

export const wrongType = (expected: string): string =>
  `Unexpected content type. Expected content types are: ${expected}`

/** The descriptions of 413; those of Barbican do not contain the limit. */
export const bodyTooLarge = 'The request body is too large: it may have 32000 bytes at most.'
export const payloadTooLarge = either('limits say so', {
  ours: 'Provided information too large to process: a payload may have 20000 bytes at most, in base64 once it is decoded',
  peer: 'Provided information too large to process',
})

/** Asserts that the answer refuses a body of more than MAX_REQUEST_BYTES. */
export function expectBodyTooLarge(answer: Answer): void {
  if (either('limits say so', { ours: true, peer: false })) expectRefusal(answer, 413, bodyTooLarge)
  else expectRefusal(answer, 400, 'Malformed JSON')
}

export const illFormedText = 'The body contains half of a UTF-16 surrogate pair, which is not a character.'

export const badQuery = 'URI provided invalid query string parameters.'
export const quotaReached = 'Creation not allowed because a quota has been reached.'
