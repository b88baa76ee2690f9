/** Who is calling, as the token says it; nothing of it ever comes from another header, a query or a body. */
export interface Caller {
  readonly userId: string
  /** The project that the token is scoped to. */
  readonly projectId: string
  /** Role names in lower case: they are compared without regard to case. */
  readonly roles: readonly string[]
}
