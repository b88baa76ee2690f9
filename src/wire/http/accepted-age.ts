/** How old an answer a request accepts, in HTTP's own words (RFC 9111 section 5.2.1). */
import type { AcceptedAge } from '../../state/backend.ts'

/** The bounds of the deployment, in seconds. */
export interface AgeLimits {
  readonly stalenessSeconds: number
  /** The `max-age` of requests that state none. */
  readonly readCacheSeconds: number
}

const MAX_AGE = /^max-age=(?:"(\d{1,10})"|(\d{1,10}))$/

/** The age that somebody accepts who says so in seconds; never more than the deployment's bound. */
export function statedAge(seconds: number, { stalenessSeconds }: AgeLimits): AcceptedAge {
  const age = Math.min(seconds, stalenessSeconds)
  return { most: age, memory: age }
}

/** The age that somebody accepts who does not say so: from memory only what the operator allows. */
export const unstatedAge = ({ stalenessSeconds, readCacheSeconds }: AgeLimits): AcceptedAge => ({
  most: stalenessSeconds,
  memory: Math.min(readCacheSeconds, stalenessSeconds),
})

/**
 * Returns the age that a `Cache-Control` header accepts. `no-cache` asks the primary; of several `max-age` the smallest
 * holds. Other directives and text that is none are ignored, as the RFC asks.
 */
export function acceptedAge(cacheControl: string | undefined, limits: AgeLimits): AcceptedAge {
  if (cacheControl === undefined) return unstatedAge(limits)
  const directives = cacheControl.split(',').map((directive) => directive.trim().toLowerCase())
  if (directives.some((directive) => directive === 'no-cache')) return statedAge(0, limits)
  const stated = directives.flatMap((directive) => {
    const [, quoted, plain] = MAX_AGE.exec(directive) ?? []
    return quoted ?? plain ?? []
  })
  return stated.length === 0 ? unstatedAge(limits) : statedAge(Math.min(...stated.map(Number)), limits)
}
