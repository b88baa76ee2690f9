/** Read ACLs of secrets and containers: each stands in the row of what it guards, and under that row's code. */
import { and, eq, sql } from 'drizzle-orm'
import { commit } from './audit/commit.ts'
import { changeOf } from './audit/events.ts'
import type { Backend } from './backend.ts'
import { protectedContainer, type Container } from './containers/container-rows.ts'
import { findContainer } from './containers/containers.ts'
import { changes } from './database/statements.ts'
import { aclRow, type Acl } from './acl-columns.ts'
import { withMac } from './integrity/row-authentication.ts'
import { containers, secretReaders, secrets } from './schema/resources.ts'
import { protectedSecret, type Secret } from './secrets/secret-rows.ts'
import { findSecret } from './secrets/secrets.ts'

/** What a client gives of an ACL; what it leaves out is `undefined`. */
export interface GivenAcl {
  readonly projectAccess: boolean | undefined
  readonly users: readonly string[] | undefined
}

/** An entity that can have an ACL. */
export type AclSubject = Secret | Container

export type GuardedKind = 'secret' | 'container'

interface Kind {
  readonly table: typeof secrets | typeof containers
  /** The code of the entity's row with another ACL. */
  readonly macWith: (backend: Backend, subject: AclSubject, acl: Acl | null) => Promise<string>
  readonly find: (backend: Backend, id: string) => Promise<AclSubject>
}

const kinds: Readonly<Record<GuardedKind, Kind>> = {
  secret: {
    table: secrets,
    find: findSecret,
    macWith: async (backend, subject, acl) =>
      (await withMac(backend, 'secrets', protectedSecret({ ...(subject as Secret), acl }))).mac,
  },
  container: {
    table: containers,
    find: findContainer,
    macWith: async (backend, subject, acl) =>
      (await withMac(backend, 'containers', protectedContainer({ ...(subject as Container), acl }))).mac,
  },
}

/** The index of readers follows what the secret's row says after the statements before it. */
function indexReaders(backend: Backend, secretId: string) {
  const users = sql`select distinct value, ${secrets.id} from ${secrets}, json_each(${secrets.aclUsers}) where ${secrets.id} = ${secretId}`
  return [
    backend.db.delete(secretReaders).where(eq(secretReaders.secretId, secretId)),
    backend.db.insert(secretReaders).select(users),
  ] as const
}

/** Stores another ACL over the row that it was made from; false when the row is not that one any more. */
async function write(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  action: 'update' | 'delete',
  acl: Acl | null,
  updated: string,
): Promise<boolean> {
  const { table, macWith } = kinds[kind]
  const mac = await macWith(backend, subject, acl)
  const asRead = and(eq(table.id, subject.id), eq(table.projectId, subject.projectId), eq(table.mac, subject.mac))
  const update = backend.db
    .update(table)
    .set({ ...aclRow(acl), mac, updated })
    .where(asRead)
  const index = kind === 'secret' ? indexReaders(backend, subject.id) : []
  const change = changeOf(subject, action, `${kind}/acl`, mac)
  const [result] = await commit(backend, change, update, ...index)
  return changes(result) > 0
}

/**
 * Sets the ACL: with `replace` (PUT) what is not given falls back to project access and no users, else (PATCH) it stays
 * as it is. Moves the entity's `updated`. When the entity was changed meanwhile, the change is made of what it is then;
 * throws its `notFound` when it has gone.
 */
export async function setAcl(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  given: GivenAcl,
  replace: boolean,
): Promise<void> {
  const { now } = backend
  const before = replace ? null : subject.acl
  const acl = {
    projectAccess: given.projectAccess ?? before?.projectAccess ?? true,
    users: given.users ? [...new Set(given.users)] : (before?.users ?? []),
    created: subject.acl?.created ?? now,
    updated: now,
  }
  if (await write(backend, kind, subject, 'update', acl, now)) return
  await setAcl(backend, kind, await kinds[kind].find(backend, subject.id), given, replace)
}

/** Removes the ACL, if there is one. */
export async function deleteAcl(backend: Backend, kind: GuardedKind, subject: AclSubject): Promise<void> {
  if (subject.acl === null) return
  if (await write(backend, kind, subject, 'delete', null, subject.updated)) return
  await deleteAcl(backend, kind, await kinds[kind].find(backend, subject.id))
}
