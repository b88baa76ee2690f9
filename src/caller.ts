/** To whom something new belongs. */
export interface Owner {
  readonly userId: string
  readonly projectId: string
}

/** Who is calling, as the token says it; nothing of it ever comes from another header, a query or a body. */
export interface Caller extends Owner {
  /** The project that the token is scoped to. */
  readonly projectId: string
  /** Role names in lower case: they are compared without regard to case. */
  readonly roles: readonly string[]
  /**
   * Has the role `admin` where it is that of the whole cloud. The role alone is one of a project: whoever administers a
   * project has it.
   */
  readonly cloudAdmin: boolean
}
