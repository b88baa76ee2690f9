/** Revocations of issued certificates: with the container that one was issued into, or by its serial number. */
import { and, eq, type SQL } from 'drizzle-orm'
import { build, change, type Statement } from '../database/prepared.ts'
import { withMac } from '../integrity/row-authentication.ts'
import { issuedCertificates } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'

/** A certificate that was issued, as its row says. */
export type IssuedCertificate = typeof issuedCertificates.$inferSelect

/** How to revoke a certificate. */
export interface Revocation {
  readonly serial: string
  /** The MACs of the row before and after it. */
  readonly before: string
  readonly after: string
  readonly at: string
}

/** How to revoke this certificate now; its row was found to be authentic. */
export async function revocationOf(scope: KeyedScope, certificate: IssuedCertificate): Promise<Revocation> {
  const { mac } = await withMac(scope, 'issuedCertificates', { ...certificate, revoked: scope.now })
  return { serial: certificate.serial, before: certificate.mac, after: mac, at: scope.now }
}

/** Revokes, if the row is still what was read and the condition holds. */
export function revoke({ serial, before, after, at }: Revocation, condition?: SQL): Statement<number> {
  const asRead = and(eq(issuedCertificates.serial, serial), eq(issuedCertificates.mac, before), condition)
  return change(build.update(issuedCertificates).set({ revoked: at, mac: after }).where(asRead))
}
