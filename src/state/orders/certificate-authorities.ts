/**
 * The certificate authorities of projects. Each project has a root of its own, so that whoever trusts it trusts the names
 * that this project certifies and no others. It is made on first use and sealed under the project's key.
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
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { build, change, select } from '../database/prepared.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { openKey, sealingKey, underSealingKey } from '../keys/project-keys.ts'
import { authorityPlace } from '../keys/sealed-values.ts'
import { storeForNewSecrets } from '../projects/secret-stores.ts'
import { newRowId } from '../row-ids.ts'
import { requireWritable } from '../read-only.ts'
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

/** Reads the project's newest of these authorities with the key that seals its own keys. */
function selectAuthority(projectId: string, where: SQL) {
  const keyOfAuthority = and(
    eq(projectKeys.projectId, certificateAuthorities.projectId),
    eq(projectKeys.store, certificateAuthorities.store),
    eq(projectKeys.version, certificateAuthorities.keyVersion),
  )
  const fields = { ...getTableColumns(certificateAuthorities), wrapped: projectKeys.wrapped }
  return select(fields, (columns) =>
    build
      .select(columns)
      .from(certificateAuthorities)
      .leftJoin(projectKeys, keyOfAuthority)
      .where(and(eq(certificateAuthorities.projectId, projectId), where))
      .orderBy(desc(certificateAuthorities.generation))
      .limit(1),
  )
}

/** The row of a new authority of the project, without its number. */
async function newRow(backend: Backend, projectId: string) {
  const id = newRowId()
  const store = await storeForNewSecrets(backend, projectId)
  const key = await sealingKey(backend, projectId, store)
  const created = await newAuthority(id.slice(0, 8), millisecondsOf(backend.now))
  const sealed = async (kind: 'root' | 'issuing', pkcs8: Uint8Array) => {
    const bytes = await seal(key, authorityPlace(projectId, kind, id), pkcs8)
    pkcs8.fill(0)
    return bytes
  }
  return withMac(backend, 'certificateAuthorities', {
    id,
    projectId,
    root: created.root,
    issuing: created.issuing,
    expiration: formatTime(created.expires),
    created: backend.now,
    store,
    keyVersion: key.version,
    rootSealed: await sealed('root', created.rootKey),
    issuingSealed: await sealed('issuing', created.issuingKey),
  })
}

/** Makes the project's next authority and gives the one that issues then: of several that do so at once one wins. */
async function makeAuthority(backend: Backend, projectId: string): Promise<CertificateAuthority> {
  const row = await newRow(backend, projectId)
  const isMissing = sql`not exists (select 1 from ${certificateAuthorities}
    where ${certificateAuthorities.projectId} = ${projectId} and ${isIssuing(backend)})`
  const generation = sql`(select coalesce(max(generation), 0) + 1 from certificate_authorities)`
  const insert = insertWhereBuilder(certificateAuthorities, { ...row, generation }, isMissing)
  const event = changeOf(row, 'create', 'certificate-authority', row.mac)
  const { issuing } = await commit(backend, event, change(insert), {
    issuing: selectAuthority(projectId, isIssuing(backend)),
  })
  const [made] = issuing
  if (!made) throw new Error('the certificate authority that was just made is not there')
  return requireAuthentic(backend, 'certificateAuthorities', made)
}

/** The project's authority that issues now; the first call for a project makes it. Throws `readOnly` if it must not. */
export async function currentAuthority(backend: Backend, projectId: string): Promise<CertificateAuthority> {
  const [known] = await backend.db.run(selectAuthority(projectId, isIssuing(backend)))
  if (known) return requireAuthentic(backend, 'certificateAuthorities', known)
  await requireWritable(backend)
  return underSealingKey(backend, projectId, () => makeAuthority(backend, projectId))
}

/** The project's authority with this id; throws `authorityNotFound`, also for one of another project. */
export async function findAuthority(backend: Backend, projectId: string, id: string): Promise<CertificateAuthority> {
  const [row] = await backend.db.run(selectAuthority(projectId, eq(certificateAuthorities.id, id)))
  if (!row) throw fault('authorityNotFound')
  return requireAuthentic(backend, 'certificateAuthorities', row)
}

/**
 * The project's authority with those of its certificates that were revoked and have not ended by themselves, in one
 * round trip; throws `authorityNotFound`.
 */
export async function findWithRevocations(
  backend: Backend,
  project: string,
  id: string,
): Promise<{ readonly authority: CertificateAuthority; readonly revocations: readonly Revocation[] }> {
  const { authorityId, expiration, projectId, revoked } = issuedCertificates
  const isRevoked = and(eq(authorityId, id), eq(projectId, project), gt(expiration, backend.now), isNotNull(revoked))
  const read = await backend.db.batch({
    authority: selectAuthority(project, eq(certificateAuthorities.id, id)),
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

/** One page of the ids of the project's authorities, oldest first, and how many there are. The first list makes one. */
export async function listAuthorities(
  backend: Backend,
  projectId: string,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: { readonly id: string }[]; total: number }> {
  const all = select(getTableColumns(certificateAuthorities), (columns) =>
    build
      .select(columns)
      .from(certificateAuthorities)
      .where(eq(certificateAuthorities.projectId, projectId))
      .orderBy(asc(certificateAuthorities.generation)),
  )
  const read = await authentic(backend, 'certificateAuthorities', await backend.db.run(all))
  const found = read.length > 0 ? read : [await currentAuthority(backend, projectId)]
  return { items: found.slice(page.offset, page.offset + page.limit), total: found.length }
}

/** Opens an authority for signing. */
export async function openedAuthority(backend: Backend, authority: CertificateAuthority): Promise<OpenAuthority> {
  const { id, projectId, store, keyVersion: version, root, issuing: certificate, issuingSealed, wrapped } = authority
  if (!wrapped) throw new SealError('the key of a certificate authority is missing')
  const key = await openKey(backend, { project: projectId, store, version }, wrapped)
  return openAuthority(root, certificate, await open(key, authorityPlace(projectId, 'issuing', id), issuingSealed))
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
