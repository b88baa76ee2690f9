/** Read ACLs of secrets and containers: each stands in the row of what it guards, and under that row's MAC. */
import { and, eq } from 'drizzle-orm'
import { aclRow } from './acl-columns.ts'
import { commit } from './audit/commit.ts'
import { changeOf } from './audit/events.ts'
import type { Backend } from './backend.ts'
import { protectedContainer } from './containers/container-rows.ts'
import { findContainer } from './containers/containers.ts'
import { CONFLICT } from './database/conflicts.ts'
import { build, change } from './database/prepared.ts'
import type { Acl, Container, Secret } from './entities.ts'
import { withMac } from './integrity/row-authentication.ts'
import { currentEntity, overCurrent, type Current } from './repeated-changes.ts'
import { containers, secrets } from './schema/resources.ts'
import { indexReaders } from './secrets/secret-readers.ts'
import { protectedSecret } from './secrets/secret-rows.ts'
import { findSecret } from './secrets/secrets.ts'

/** The members of an ACL in a request; `undefined` for those that it omits. */
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

/** Saves an ACL if the entity's row has not changed since it was read; otherwise returns CONFLICT. */
async function save(
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

/** The subject, for a change that is made again after a conflict. */
const currentOf = (backend: Backend, kind: GuardedKind, subject: AclSubject): Current<AclSubject> =>
  currentEntity(subject, () => kinds[kind].find(backend, subject.id))

/**
 * Sets the ACL. Members that the request omits get their defaults, project access and no users, with `replace` (PUT),
 * and are left unchanged without (PATCH). Updates the entity's `updated`. Throws the `notFound` fault of the entity if
 * it was deleted.
 */
export async function setAcl(
  backend: Backend,
  kind: GuardedKind,
  subject: AclSubject,
  given: GivenAcl,
  replace: boolean,
): Promise<void> {
  await overCurrent(backend, currentOf(backend, kind, subject), (current) => {
    const before = replace ? null : current.acl
    const acl = {
      projectAccess: given.projectAccess ?? before?.projectAccess ?? true,
      users: given.users ? [...new Set(given.users)] : (before?.users ?? []),
      created: current.acl?.created ?? backend.now,
      updated: backend.now,
    }
    return save(backend, kind, current, 'update', acl)
  })
}

/** Removes the ACL, if there is one. */
export async function deleteAcl(backend: Backend, kind: GuardedKind, subject: AclSubject): Promise<void> {
  await overCurrent(backend, currentOf(backend, kind, subject), async (current) =>
    current.acl === null ? 'stored' : save(backend, kind, current, 'delete', null),
  )
}
