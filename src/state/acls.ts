/** Read ACLs of secrets and containers: each stands in the row of what it guards. */
import { and, eq, sql } from 'drizzle-orm'
import { fault } from '../faults.ts'
import { changeOf } from './audit-events.ts'
import type { Backend } from './backend.ts'
import { commit } from './commit.ts'
import type { Guarded } from './guarded.ts'
import { containers, secretReaders, secrets } from './schema.ts'
import { changes } from './statements.ts'

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

async function write(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  action: 'update' | 'delete',
  acl: object,
): Promise<void> {
  const table = tables[kind]
  const update = backend.db
    .update(table)
    .set(acl)
    .where(and(eq(table.id, subject.id), eq(table.projectId, subject.projectId)))
  const index = kind === 'secret' ? indexReaders(backend, subject.id) : []
  const [result] = await commit(backend, changeOf(subject, action, `${kind}/acl`), update, ...index)
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
  await write(backend, kind, subject, 'update', {
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
  return write(backend, kind, subject, 'delete', none)
}
