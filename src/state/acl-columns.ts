/** What the rules of access look at in the row of a secret or container, its read ACL included. */
import type { containers, secrets } from './schema/resources.ts'

/** Who may read an entity beside what the roles say. */
export interface Acl {
  /** False makes the entity private within its project. */
  readonly projectAccess: boolean
  /** User ids, of any project, without duplicates. */
  readonly users: readonly string[]
  readonly created: string
  readonly updated: string
}

/** What the rules of access look at in an entity. */
export interface Guarded {
  readonly projectId: string
  readonly creatorId: string | null
  readonly acl: Acl | null
  readonly private: boolean
  readonly readers: readonly string[]
}

type GuardedTable = typeof secrets | typeof containers

/** The columns of an entity's ACL, to be read with the entity. */
export const aclColumns = (table: GuardedTable) => ({
  aclProjectAccess: table.aclProjectAccess,
  aclUsers: table.aclUsers,
  aclCreated: table.aclCreated,
  aclUpdated: table.aclUpdated,
})

export interface AclRow {
  readonly projectId: string
  readonly creatorId: string | null
  readonly aclProjectAccess: boolean | null
  readonly aclUsers: string | null
  readonly aclCreated: string | null
  readonly aclUpdated: string | null
}

/** The columns of an ACL, as they are stored. */
export const aclRow = (acl: Acl | null) => ({
  aclProjectAccess: acl && acl.projectAccess,
  aclUsers: acl && JSON.stringify(acl.users),
  aclCreated: acl && acl.created,
  aclUpdated: acl && acl.updated,
})

/** What the rules look at, from a row that was read with {@link aclColumns} and is authentic. */
export function guarded(row: AclRow): Guarded {
  const { projectId, creatorId, aclProjectAccess, aclUsers, aclCreated, aclUpdated } = row
  const acl =
    aclCreated === null || aclUpdated === null
      ? null
      : {
          projectAccess: aclProjectAccess !== false,
          users: JSON.parse(aclUsers ?? '[]') as string[],
          created: aclCreated,
          updated: aclUpdated,
        }
  return { projectId, creatorId, acl, private: acl !== null && !acl.projectAccess, readers: acl?.users ?? [] }
}
