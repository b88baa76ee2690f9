/**
 * The certificates that a project's authorities have issued. A row outlives the container, because a certificate does:
 * what was issued can be listed and revoked when nothing else of it is left.
 */
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { revocationOf, revoke, type IssuedCertificate } from '../containers/revocations.ts'
import { build, select, selectValues } from '../database/prepared.ts'
import { authentic, requireAuthentic } from '../integrity/row-authentication.ts'
import { certificateAuthorities, issuedCertificates } from '../schema/resources.ts'

/** An authority of a project, by the id of both. */
export interface AuthorityOfProject {
  readonly id: string
  readonly projectId: string
}

/** Hexadecimal digits of a serial number. */
const SERIAL_DIGITS = 32

const ofAuthority = ({ id, projectId }: AuthorityOfProject) =>
  and(eq(issuedCertificates.projectId, projectId), eq(issuedCertificates.authorityId, id))

/** One page of what the authority has issued, oldest first, and how much that is. */
export async function listCertificates(
  backend: Backend,
  authority: AuthorityOfProject,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly items: readonly IssuedCertificate[]; readonly total: number }> {
  const { created, serial } = issuedCertificates
  const read = await backend.db.batch({
    rows: select(getTableColumns(issuedCertificates), (columns) =>
      build
        .select(columns)
        .from(issuedCertificates)
        .where(ofAuthority(authority))
        .orderBy(asc(created), asc(serial))
        .limit(page.limit)
        .offset(page.offset),
    ),
    counted: selectValues({
      total: sql<number>`(select count(*) from ${issuedCertificates} where ${ofAuthority(authority)})`,
    }),
  })
  return { items: await authentic(backend, 'issuedCertificates', read.rows), total: read.counted[0]?.total ?? 0 }
}

/**
 * The certificate with this serial number, as hexadecimal digits in either case and with or without leading zeros; null:
 * the authority has issued none. Throws `authorityNotFound`.
 */
export async function findCertificate(
  backend: Backend,
  authority: AuthorityOfProject,
  serial: string,
): Promise<IssuedCertificate | null> {
  const { id, projectId } = certificateAuthorities
  const isAuthority = and(eq(id, authority.id), eq(projectId, authority.projectId))
  const isCertificate = eq(issuedCertificates.serial, serial.toLowerCase().padStart(SERIAL_DIGITS, '0'))
  const read = await backend.db.batch({
    authority: select({ id }, (columns) => build.select(columns).from(certificateAuthorities).where(isAuthority)),
    certificate: select(getTableColumns(issuedCertificates), (columns) =>
      build
        .select(columns)
        .from(issuedCertificates)
        .where(and(ofAuthority(authority), isCertificate)),
    ),
  })
  if (read.authority.length === 0) throw fault('authorityNotFound')
  const [row] = read.certificate
  return row ? requireAuthentic(backend, 'issuedCertificates', row) : null
}

/** Revokes a certificate; one that is revoked already stays revoked since then. */
export async function revokeCertificate(backend: Backend, certificate: IssuedCertificate): Promise<void> {
  if (certificate.revoked !== null) return
  const { serial, projectId } = certificate
  const event = changeOf({ id: serial, projectId }, 'revoke', 'certificate')
  await commit(backend, event, revoke(await revocationOf(backend, certificate)))
}
