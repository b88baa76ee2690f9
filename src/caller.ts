/** The authenticated user, as read from the token. No part of it comes from another header, the query or the body. */
export interface Caller {
  readonly userId: string
  /** The project that the token is scoped to. */
  readonly projectId: string
  /** Role names in lower case, because policies compare them case-insensitively. */
  readonly roles: readonly string[]
}
