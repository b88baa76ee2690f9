import type { Caller } from '../../caller.ts'
import type { Config, Environment } from '../../config.ts'
import type { Backend } from '../../state/backend.ts'
import type { Source } from '../../state/scope.ts'
import type { Microversion } from './microversion.ts'

/** What the middleware of `app.ts` has found out before a route runs. */
export interface Variables {
  readonly config: Config
  readonly backend: Backend
  /** Public base of all hrefs, without a trailing slash: HOST_HREF, or the request's origin. */
  readonly base: string
  readonly caller: Caller
  readonly microversion: Microversion
  /** Headers of the response to come. */
  headers?: Record<string, string>
  /** `<Operation>` of the route, for the words of a failure. */
  operation: string
  /** Who asks, for what and by which rule, once that is known. */
  source?: Source
  /** What the path names, once it has been found: `secret/<id>`. */
  target?: string
}

/** The generics of every Hono app of the service. */
export interface Service {
  Bindings: Environment
  Variables: Variables
}
