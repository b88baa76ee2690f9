import type { Caller } from '../../caller.ts'
import type { Config, Environment } from '../../config.ts'
import type { Backend } from '../../state/backend.ts'
import type { Source } from '../../state/scope.ts'
import type { Microversion } from './microversion.ts'

/** Context variables that the middleware of `app.ts` and the resource routes set. */
export interface Variables {
  readonly config: Config
  readonly backend: Backend
  /** Public base URL of all hrefs, without a trailing slash: HOST_HREF, or the request's origin. */
  readonly base: string
  readonly caller: Caller
  readonly microversion: Microversion
  /** Headers that the response will have. */
  headers?: Record<string, string>
  /** Name of the operation, which failure messages contain: `Secret creation`. */
  operation: string
  /** The caller, the operation and its policy rule; set after authentication and routing. */
  source?: Source
  /** Whether the request changes nothing; its answer then carries no bookmark. */
  readsOnly?: boolean
  /** The entity that the path names, such as `secret/<id>`; set once it was found. */
  target?: string
}

/** The type parameter of every Hono app of the service. */
export interface Service {
  Bindings: Environment
  Variables: Variables
}
