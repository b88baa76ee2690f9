/** The scope of an operation: its database, time, limits and source. */
import type { Keyring } from '../crypto/keyring.ts'
import type { Sending } from './database/repetition.ts'
import type { Connection } from './database/session.ts'

/** The maximum number of each kind of entity in a project; negative for no limit. */
export interface QuotaLimits {
  readonly secrets: number
  readonly orders: number
  readonly containers: number
  readonly consumers: number
}

/** The initiator and the reason of changes: what the audit events of one request or run have in common. Plain data. */
export interface Source {
  /** The calling user and the project of the token; null if the service itself acts. */
  readonly initiator: { readonly userId: string; readonly projectId: string | null } | null
  /** The user on whose behalf the service itself acts. */
  readonly onBehalfOf: string | null
  readonly requestId: string | null
  /** The address that the request came from; left out if the service itself acts. */
  readonly address?: string
  /** The application that a service binding says it belongs to; nothing vouches for it but who deployed that. */
  readonly application?: string
  /** The operation, as error messages name it, such as `Secret creation`. */
  readonly operation: string
  /** The access rule that allowed or refused the operation. */
  readonly rule: string | null
}

/** The source of an operation that the service itself performs, possibly on behalf of a user. */
export const byService = (operation: string, onBehalfOf: string | null = null): Source => ({
  initiator: null,
  onBehalfOf,
  requestId: null,
  operation,
  rule: null,
})

/** A change, as it is passed to `Scope.recorded`. */
export interface Changed {
  /** The kind of the target, such as `secret/acl`. */
  readonly target: string
  readonly id: string
  readonly projectId: string
}

/** A change that is sent to an object, perhaps several times. Plain data. */
export interface SentChange {
  /** The id of its first audit event, by which the object recognises that it was stored before. */
  readonly id: string
  readonly sending: Sending
}

/**
 * The database, the limits, the time and the source of an operation. The `Backend` of a request extends it. The part
 * that is plain data is sent to a project's object.
 */
export interface Scope {
  readonly db: Connection
  /** The configured limits, for projects without limits of their own. */
  readonly quotas: QuotaLimits
  /**
   * The time of the request, as UTC text of 26 characters. It is read once, so it is the same for the whole operation.
   */
  readonly now: string
  readonly source: Source
  /** The change that this scope is for, in an object that was sent it; otherwise left out. */
  readonly change?: SentChange
  /** Called after each change, also if the change failed, because it may have been committed anyway. */
  readonly recorded: (changes: readonly Changed[]) => void
}

/** A scope with the keyring. The object of a project does not get one, so it has no access to keys. */
export interface KeyedScope extends Scope {
  readonly keyring: Keyring
}
