/** The shape of a refusal in the contract, its status titles and its longer texts. */
import { expect } from 'vitest'
import type { Answer } from './client.ts'

/** The reason phrases of the statuses, in Barbican's spelling. */
export const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
}

/** The answer is this refusal: status, type and the whole body. */
export function expectRefusal(answer: Answer, status: number, description: string | null): void {
  expect(answer.json).toEqual({ code: status, title: titles[status], description })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('Content-Type')).toBe('application/json')
}

/** The refusal of a body that breaks a schema; `property` null: the fault is that of the whole document. */
export function mismatch(schema: string, reason: string, property: string | null): string {
  return `Provided object does not match schema '${schema}': ${reason}. Invalid property: '${property ?? 'None'}'`
}

export const notPermitted = (operation: string): string =>
  `${operation} attempt not allowed - please review your user/project privileges`

export const wrongType = (expected: string): string =>
  `Unexpected content type. Expected content types are: ${expected}`

export const badQuery = 'URI provided invalid query string parameters.'
export const quotaReached = 'Creation not allowed because a quota has been reached.'
