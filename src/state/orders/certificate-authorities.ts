/**
 * The deployment's certificate authorities. They are created on first use, and their private keys are stored sealed.
 */
import { and, asc, desc, eq, getTableColumns, gt, isNotNull, sql, type SQL } from 'drizzle-orm'
import {
  CERTIFICATE_DAYS,
  newAuthority,
  openAuthority,
  revocationList,
  type OpenAuthority,
} from '../../crypto/certificate-authority.ts'
import { open, seal, SealError } from '../../crypto/envelope.ts'
import { fault } from '../../faults.ts'
import { DAY, formatTime, millisecondsOf } from '../../times.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { build, change, oneRow, select } from '../database/prepared.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { openKey, sealingKey, underSealingKey } from '../keys/project-keys.ts'
import { AUTHORITY_OWNER, authorityPlace } from '../keys/sealed-values.ts'
import { storeForNewSecrets } from '../projects/secret-stores.ts'
import { newRowId } from '../row-ids.ts'
import { certificateAuthorities, issuedCertificates, projectKeys } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'

/** An authority with the wrapped key that seals its private keys; null if that key does not exist. */
export type CertificateAuthority = typeof certificateAuthorities.$inferSelect & { readonly wrapped: Uint8Array | null }

/** When certificates of an authority were revoked, by serial number. */
export interface Revocation {
  readonly serial: string
  readonly revoked: string | null
}

/** SQL: authorities that can issue, because a certificate issued now would expire before they do. */
const isIssuing = ({ now }: Scope) =>
  gt(certificateAuthorities.expiration, formatTime(millisecondsOf(now) + CERTIFICATE_DAYS * DAY))

/** Reads the newest authority that meets the condition, with the wrapped key that seals its private keys. */
function selectAuthority(where: SQL) {
  const keyOfAuthority = and(
    eq(projectKeys.projectId, AUTHORITY_OWNER),
    eq(projectKeys.store, certificateAuthorities.store),
    eq(projectKeys.version, certificateAuthorities.keyVersion),
  )
  const fields = { ...getTableColumns(certificateAuthorities), wrapped: projectKeys.wrapped }
  return select(fields, (columns) =>
    build
      .select(columns)
      .from(certificateAuthorities)
      .leftJoin(projectKeys, keyOfAuthority)
      .where(where)
      .orderBy(desc(certificateAuthorities.generation))
      .limit(1),
  )
}

async function newest(backend: Backend): Promise<CertificateAuthority | undefined> {
  const [row] = await backend.db.run(selectAuthority(isIssuing(backend)))
  return row && requireAuthentic(backend, 'certificateAuthorities', row)
}

/** Creates the next authority. Of several concurrent callers one succeeds; the others change nothing. */
async function createAuthority(backend: Backend): Promise<void> {
  const id = newRowId()
  const store = await storeForNewSecrets(backend, AUTHORITY_OWNER)
  const key = await sealingKey(backend, AUTHORITY_OWNER, store)
  const created = await newAuthority(id.slice(0, 8), millisecondsOf(backend.now))
  const sealed = async (kind: 'root' | 'issuing', pkcs8: Uint8Array) => {
    const bytes = await seal(key, authorityPlace(kind, id), pkcs8)
    pkcs8.fill(0)
    return bytes
  }
  const row = await withMac(backend, 'certificateAuthorities', {
    id,
    root: created.root,
    issuing: created.issuing,
    expiration: formatTime(created.expires),
    created: backend.now,
    store,
    keyVersion: key.version,
    rootSealed: await sealed('root', created.rootKey),
    issuingSealed: await sealed('issuing', created.issuingKey),
  })
  const isMissing = sql`not exists (select 1 from ${certificateAuthorities} where ${isIssuing(backend)})`
  const generation = sql<number>`(select coalesce(max(generation), 0) + 1 from certificate_authorities)`
  // The generation is read before the insertion, so of two callers that read the same one the second inserts nothing.
  const [next] = await backend.db.run(
    select({ generation }, (columns) => build.select(columns).from(oneRow).where(isMissing)),
  )
  if (!next) return
  const insert = insertWhereBuilder(certificateAuthorities, { ...row, ...next }, sql`true`).onConflictDoNothing()
  const event = changeOf({ id, projectId: DEPLOYMENT }, 'create', 'certificate-authority', row.mac)
  await commit(backend, event, change(insert))
}

/** The authority that currently issues, created if there is none. */
export async function currentAuthority(backend: Backend): Promise<CertificateAuthority> {
  const known = await newest(backend)
  if (known) return known
  await underSealingKey(backend, AUTHORITY_OWNER, () => createAuthority(backend))
  const created = await newest(backend)
  if (!created) throw new Error('the certificate authority that was just created does not exist')
  return created
}

/** Finds the authority with this id; throws `authorityNotFound`. */
export async function findAuthority(backend: Backend, id: string): Promise<CertificateAuthority> {
  const [row] = await backend.db.run(selectAuthority(eq(certificateAuthorities.id, id)))
  if (!row) throw fault('authorityNotFound')
  return requireAuthentic(backend, 'certificateAuthorities', row)
}

/**
 * Finds an authority and its revoked certificates that have not expired, in one round trip. Throws `authorityNotFound`.
 */
export async function findWithRevocations(
  backend: Backend,
  id: string,
): Promise<{ readonly authority: CertificateAuthority; readonly revocations: readonly Revocation[] }> {
  const { authorityId, expiration, revoked } = issuedCertificates
  const isRevoked = and(eq(authorityId, id), gt(expiration, backend.now), isNotNull(revoked))
  const read = await backend.db.batch({
    authority: selectAuthority(eq(certificateAuthorities.id, id)),
    revoked: select(getTableColumns(issuedCertificates), (columns) =>
      build.select(columns).from(issuedCertificates).where(isRevoked),
    ),
  })
  const [authority] = read.authority
  if (!authority) throw fault('authorityNotFound')
  return {
    authority: await requireAuthentic(backend, 'certificateAuthorities', authority),
    revocations: await Promise.all(read.revoked.map((row) => requireAuthentic(backend, 'issuedCertificates', row))),
  }
}

/** One page of the authorities' ids, oldest first, with the total. Creates the first authority if there is none. */
export async function listAuthorities(
  backend: Backend,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: { readonly id: string }[]; total: number }> {
  const all = select(getTableColumns(certificateAuthorities), (columns) =>
    build.select(columns).from(certificateAuthorities).orderBy(asc(certificateAuthorities.generation)),
  )
  const read = async () => {
    const items = await authentic(backend, 'certificateAuthorities', await backend.db.run(all))
    return { items: items.slice(page.offset, page.offset + page.limit), total: items.length }
  }
  const found = await read()
  if (found.total > 0) return found
  await currentAuthority(backend)
  return read()
}

/** Opens an authority for signing. */
export async function openedAuthority(backend: Backend, authority: CertificateAuthority): Promise<OpenAuthority> {
  const { id, store, keyVersion: version, root, issuing: certificate, issuingSealed, wrapped } = authority
  if (!wrapped) throw new SealError('the key of a certificate authority is missing')
  const key = await openKey(backend, { project: AUTHORITY_OWNER, store, version }, wrapped)
  return openAuthority(root, certificate, await open(key, authorityPlace('issuing', id), issuingSealed))
}

/** The authority's signed certificate revocation list, as PEM. */
export async function revocationsOf(
  backend: Backend,
  authority: CertificateAuthority,
  revocations: readonly Revocation[],
): Promise<string> {
  const entries = revocations.flatMap(({ serial, revoked }) =>
    revoked === null ? [] : [{ serial, revoked: millisecondsOf(revoked) }],
  )
  return revocationList(await openedAuthority(backend, authority), entries, millisecondsOf(backend.now))
}
