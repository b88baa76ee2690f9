/** The scope of an operation: what every statement depends on. */
import type { Keyring } from '../crypto/keyring.ts'
import type { Connection } from './database/session.ts'

/** How many of each a project may have; negative: no limit. */
export interface QuotaLimits {
  readonly secrets: number
  readonly orders: number
  readonly containers: number
  readonly consumers: number
}

/** Who makes a change and why: what the audit events of one request or run have in common. Plain data. */
export interface Source {
  /** The calling user and the project of its token; null: the service itself. */
  readonly initiator: { readonly userId: string; readonly projectId: string | null } | null
  /** The user for whom the service itself does it. */
  readonly onBehalfOf: string | null
  readonly requestId: string | null
  /** The address that the request came from; left out: the service itself does it. */
  readonly address?: string
  /** What is done, in the words of failures: `Secret creation`. */
  readonly operation: string
  /** The rule of access that allowed or refused it. */
  readonly rule: string | null
}

/** The service itself, doing this for nobody in particular or on behalf of a user. */
export const byService = (operation: string, onBehalfOf: string | null = null): Source => ({
  initiator: null,
  onBehalfOf,
  requestId: null,
  operation,
  rule: null,
})

/** What was changed, as far as those need it who are told of changes. */
export interface Changed {
  /** The kind of the target, such as `secret/acl`. */
  readonly target: string
  readonly id: string
  readonly projectId: string
}

/**
 * The database, the limits, the time and who it is done for. A request's `Backend` adds to it; a project's object is sent
 * what of it is plain data.
 */
export interface Scope {
  readonly db: Connection
  /** The configured limits, for projects without limits of their own. */
  readonly quotas: QuotaLimits
  /** The time of the request: UTC text of 26 characters. One reading serves the whole operation. */
  readonly now: string
  readonly source: Source
  /** Called after each change, and when a change failed so that it may be stored. */
  readonly recorded: (changes: readonly Changed[]) => void
}

/** A scope that can also open keys. The object of a project has none of these: it never sees a key. */
export interface KeyedScope extends Scope {
  readonly keyring: Keyring
}
