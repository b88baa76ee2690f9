/** The use of stored keys: its columns, which can only be narrowed, its ACL, its events, and the bytes of a key. */
import { and, eq } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, type AuditAction, type AuditTarget } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { CONFLICT } from '../database/conflicts.ts'
import { overCurrent } from '../repeated-changes.ts'
import { build, change } from '../database/prepared.ts'
import type { Secret, UseAcl, UseColumns } from '../entities.ts'
import { withMac } from '../integrity/row-authentication.ts'
import { secrets } from '../schema/resources.ts'
import { protectedSecret, secretIs } from './secret-rows.ts'
import { currentSecret } from './secrets.ts'
import { isExtractable, possibleUsages, storedUsages, usagesOfSecret, type Usage } from './usages.ts'

/** Returns the secret's row with other columns of use; null: as it is. */
type Change = (current: Secret) => Partial<UseColumns> | null

/** Changes the columns of use. After a conflict the change is made again from the row as it then is. */
function changeUse(
  backend: Backend,
  secret: Secret,
  action: AuditAction,
  target: AuditTarget,
  changed: Change,
): Promise<Secret> {
  return overCurrent(backend, currentSecret(backend, secret), async (current) => {
    const columns = changed(current)
    if (!columns) return current
    const { mac } = await withMac(backend, 'secrets', { ...protectedSecret(current), ...columns })
    const update = build
      .update(secrets)
      .set({ ...columns, mac, updated: backend.now })
      .where(and(secretIs(current), eq(secrets.mac, current.mac)))
    const stored = await commit(backend, changeOf(current, action, target, mac), change(update))
    return stored.changed > 0 ? { ...current, ...columns, mac, updated: backend.now } : CONFLICT
  })
}

/** What a request asks of the use of a key; `undefined`: as it is. */
export interface NarrowerUse {
  readonly extractable: boolean | undefined
  readonly usages: readonly Usage[] | undefined
}

/**
 * Narrows what a key may be used for, and closes its payload, and returns the secret. Throws `keyWidened` for anything
 * that widens either, `keyKind` if a secret of this type is no key, and `noPayload`.
 */
export function narrowUse(backend: Backend, secret: Secret, { extractable, usages }: NarrowerUse): Promise<Secret> {
  return changeUse(backend, secret, 'update', 'secret/key', (current) => {
    if (possibleUsages(current).length === 0) throw fault('keyKind', 'a secret of this type is no key')
    if (!current.hasPayload) throw fault('noPayload')
    const present = usagesOfSecret(current)
    const isWider = usages?.some((usage) => !present.includes(usage)) === true
    if (isWider || (extractable === true && !isExtractable(current))) throw fault('keyWidened')
    const isClosed = extractable === false && isExtractable(current)
    const isNarrower = usages !== undefined && new Set(usages).size < present.length
    if (!isClosed && !isNarrower) return null
    return { ...(isClosed && { extractable: false }), ...(isNarrower && { usages: storedUsages(usages) }) }
  })
}

/** Sets the ACL for the use of a key. */
export async function setUseAcl(backend: Backend, secret: Secret, acl: UseAcl): Promise<void> {
  await changeUse(backend, secret, 'update', 'secret/use-acl', () => ({ useGrants: JSON.stringify(acl) }))
}

/** Removes the ACL for the use of a key, if there is one. */
export async function deleteUseAcl(backend: Backend, secret: Secret): Promise<void> {
  await changeUse(backend, secret, 'delete', 'secret/use-acl', ({ useGrants }) =>
    useGrants === null ? null : { useGrants: null },
  )
}
