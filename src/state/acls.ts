/** Read ACLs of secrets and containers: each stands in the row of what it guards, and under that row's MAC. */
import { and, eq } from 'drizzle-orm'
import { aclRow } from './acl-columns.ts'
import { commit } from './audit/commit.ts'
import { changeOf } from './audit/events.ts'
import type { Backend } from './backend.ts'
import { protectedContainer } from './containers/container-rows.ts'
import { findContainer } from './containers/containers.ts'
import { CONFLICT, untilStored } from './database/conflicts.ts'
import { build, change } from './database/prepared.ts'
import type { Acl, Container, Secret } from './entities.ts'
import { withMac } from './integrity/row-authentication.ts'
import { containers, secrets } from './schema/resources.ts'
import { indexReaders } from './secrets/secret-readers.ts'
import { protectedSecret } from './secrets/secret-rows.ts'
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
  /** The MAC of the entity's row with another ACL. */
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

/** Stores another ACL over the row that it was made from; a conflict when the row is another one by now. */
async function store(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  action: 'update' | 'delete',
  acl: Acl | null,
): Promise<typeof CONFLICT | 'stored'> {
  const { table, macWith } = kinds[kind]
  const mac = await macWith(backend, subject, acl)
  const asRead = and(eq(table.id, subject.id), eq(table.projectId, subject.projectId), eq(table.mac, subject.mac))
  const updated = action === 'update' ? backend.now : subject.updated
  const update = build
    .update(table)
    .set({ ...aclRow(acl), mac, updated })
    .where(asRead)
  const { changed } = await commit(backend, changeOf(subject, action, `${kind}/acl`, mac), change(update), {
    index: kind === 'secret' ? indexReaders([subject.id]) : [],
  })
  return changed > 0 ? 'stored' : CONFLICT
}

/** Runs the change with the subject, and after a conflict with the subject as it is then. */
async function withCurrent(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  attempt: (current: AclSubject) => Promise<typeof CONFLICT | 'stored'>,
): Promise<void> {
  let read: AclSubject | null = subject
  await untilStored(async () => {
    const current: AclSubject = read ?? (await kinds[kind].find(backend, subject.id))
    read = null
    return attempt(current)
  })
}

/**
 * Sets the ACL: with `replace` (PUT) what is not given falls back to project access and no users, else (PATCH) it stays
 * as it is. Moves the entity's `updated`. Throws the entity's `notFound` when it was deleted.
 */
export function setAcl(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  given: GivenAcl,
  replace: boolean,
): Promise<void> {
  return withCurrent(backend, kind, subject, (current) => {
    const before = replace ? null : current.acl
    const acl = {
      projectAccess: given.projectAccess ?? before?.projectAccess ?? true,
      users: given.users ? [...new Set(given.users)] : (before?.users ?? []),
      created: current.acl?.created ?? backend.now,
      updated: backend.now,
    }
    return store(backend, kind, current, 'update', acl)
  })
}

/** Removes the ACL, if there is one. */
export function deleteAcl(backend: Backend, kind: GuardedKind, subject: AclSubject): Promise<void> {
  return withCurrent(backend, kind, subject, async (current) =>
    current.acl === null ? 'stored' : store(backend, kind, current, 'delete', null),
  )
}
