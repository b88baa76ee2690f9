/** Read ACLs of secrets and containers: each stands in the row of what it guards. */
import { and, eq, sql } from 'drizzle-orm'
import { fault } from '../faults.ts'
import type { Backend } from './backend.ts'
import { containers, secretReaders, secrets } from './schema.ts'
import { changes } from './statements.ts'

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
  readonly aclUsers: string[] | null
  readonly aclCreated: string | null
  readonly aclUpdated: string | null
}

/** What the rules look at, from a row read with {@link aclColumns}. */
export function guarded(row: AclRow): Guarded {
  const { projectId, creatorId, aclProjectAccess, aclUsers, aclCreated, aclUpdated } = row
  const acl =
    aclCreated === null || aclUpdated === null
      ? null
      : { projectAccess: aclProjectAccess !== false, users: aclUsers ?? [], created: aclCreated, updated: aclUpdated }
  return { projectId, creatorId, acl, private: acl !== null && !acl.projectAccess, readers: acl?.users ?? [] }
}

/** What a client gives of an ACL; what it leaves out is `undefined`. */
export interface GivenAcl {
  readonly projectAccess: boolean | undefined
  readonly users: readonly string[] | undefined
}

/** An entity that can have an ACL, and the table that it is in. */
export interface AclSubject extends Guarded {
  readonly id: string
}

export type GuardedKind = 'secret' | 'container'
const tables = { secret: secrets, container: containers } as const

/** The index of readers follows what the secret's row says after the statements before it. */
function indexReaders(backend: Backend, secretId: string) {
  const users = sql`select distinct value, ${secrets.id} from ${secrets}, json_each(${secrets.aclUsers}) where ${secrets.id} = ${secretId}`
  return [
    backend.db.delete(secretReaders).where(eq(secretReaders.secretId, secretId)),
    backend.db.insert(secretReaders).select(users),
  ] as const
}

async function write(backend: Backend, kind: GuardedKind, subject: AclSubject, acl: object): Promise<void> {
  const table = tables[kind]
  const update = backend.db
    .update(table)
    .set(acl)
    .where(and(eq(table.id, subject.id), eq(table.projectId, subject.projectId)))
  const [result] = await backend.db.batch([update, ...(kind === 'secret' ? indexReaders(backend, subject.id) : [])])
  if (changes(result) === 0) throw fault(kind === 'secret' ? 'secretNotFound' : 'containerNotFound')
}

/**
 * Sets the ACL: with `replace` (PUT) what is not given falls back to project access and no users, else (PATCH) it stays
 * as it is. Moves the entity's `updated`.
 */
export async function setAcl(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  given: GivenAcl,
  replace: boolean,
): Promise<void> {
  const table = tables[kind]
  const users = given.users && JSON.stringify([...new Set(given.users)])
  const access = given.projectAccess === undefined ? null : Number(given.projectAccess)
  const { now } = backend
  await write(backend, kind, subject, {
    aclProjectAccess: replace ? sql`coalesce(${access}, 1)` : sql`coalesce(${access}, ${table.aclProjectAccess}, 1)`,
    aclUsers: replace ? sql`${users ?? '[]'}` : sql`coalesce(${users ?? null}, ${table.aclUsers}, '[]')`,
    aclCreated: sql`coalesce(${table.aclCreated}, ${now})`,
    aclUpdated: now,
    updated: now,
  })
}

/** Removes the ACL, if there is one. */
export function deleteAcl(backend: Backend, kind: GuardedKind, subject: AclSubject): Promise<void> {
  const none = { aclProjectAccess: null, aclUsers: null, aclCreated: null, aclUpdated: null }
  return write(backend, kind, subject, none)
}
