/** The user and project that a new entity belongs to. */
export interface Owner {
  readonly userId: string
  readonly projectId: string
}

/** The authenticated user, as read from the token. No part of it comes from another header, the query or the body. */
export interface Caller extends Owner {
  /** The project that the token is scoped to. */
  readonly projectId: string
  /** Role names in lower case, because policies compare them case-insensitively. */
  readonly roles: readonly string[]
  /**
   * Has the role `admin` for the whole cloud, as the identity service says. The role name alone does not tell: everyone
   * who administers a project has it.
   */
  readonly cloudAdmin: boolean
}
