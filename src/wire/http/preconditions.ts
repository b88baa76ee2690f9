/** Conditional requests (RFC 9110 section 13) on the current version of a secret, whose entity tag is its number. */
import type { Context } from 'hono'
import { fault } from '../../faults.ts'
import type { Service } from './context.ts'
import { setHeader } from './response.ts'

/** What a request says about the version that it replaces. Throws `preconditionFailed` for another one. */
export interface Precondition {
  /** Whether the request names the version that it means to replace. */
  readonly isGiven: boolean
  /** `version` is the number of the current version; null if there is none. */
  readonly require: (version: number | null) => void
}

/**
 * The tags of a list. A tag with `W/` counts as well, although `If-Match` compares strongly: a proxy that compresses an
 * answer weakens its tag, and the number of a version still names its bytes.
 */
export const tagsIn = (list: string) => [...list.matchAll(/(?:W\/)?"([^"]*)"/g)].map(([, tag]) => tag)

/** Reads `If-Match` and `If-None-Match` of the request. */
export function preconditionOf(c: Context<Service>): Precondition {
  const match = c.req.header('If-Match')?.trim()
  const noneMatch = c.req.header('If-None-Match')?.trim()
  const names = (list: string, version: number | null) =>
    version !== null && (list === '*' || tagsIn(list).includes(String(version)))
  return {
    isGiven: Boolean(match),
    require(version) {
      if (match && !names(match, version)) throw fault('preconditionFailed')
      if (noneMatch && names(noneMatch, version)) throw fault('preconditionFailed')
    },
  }
}

/** Sets the entity tag of the response; a secret without payload has none. */
export function setVersionTag(c: Context<Service>, version: number | null): void {
  if (version !== null) setHeader(c, 'ETag', `"${version}"`)
}
