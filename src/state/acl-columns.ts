/** The read ACL of a secret or container in the columns of its row. */
import type { Acl, AclRow, Guarded } from './entities.ts'
import type { containers, secrets } from './schema/resources.ts'

/** The columns of an entity's ACL, to be read with the entity. */
export const aclColumns = (table: typeof secrets | typeof containers) => ({
  aclProjectAccess: table.aclProjectAccess,
  aclUsers: table.aclUsers,
  aclCreated: table.aclCreated,
  aclUpdated: table.aclUpdated,
})

/** The columns of an ACL, as they are stored. */
export const aclRow = (acl: Acl | null) => ({
  aclProjectAccess: acl && acl.projectAccess,
  aclUsers: acl && JSON.stringify(acl.users),
  aclCreated: acl && acl.created,
  aclUpdated: acl && acl.updated,
})

/** The properties on which access rules depend, from an authentic row that was read with {@link aclColumns}. */
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
