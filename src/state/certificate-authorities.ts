/** The deployment's certificate authorities: made on first use, sealed like every key, open in this isolate once used. */
import { and, asc, desc, eq, gt, isNotNull, sql } from 'drizzle-orm'
import {
  CERTIFICATE_DAYS,
  newAuthority,
  openAuthority,
  revocationList,
  type OpenAuthority,
} from '../crypto/certificate-authority.ts'
import { open, seal } from '../crypto/envelope.ts'
import { fault } from '../faults.ts'
import { formatTime } from '../times.ts'
import type { Backend } from './backend.ts'
import { openKey, sealingKey, underSealingKey } from './project-keys.ts'
import { certificateAuthorities, issuedCertificates, projectKeys } from './schema.ts'
import { AUTHORITY_OWNER, authorityPlace } from './sealed-values.ts'
import { storeForNewSecrets } from './secret-stores.ts'

export type CertificateAuthority = typeof certificateAuthorities.$inferSelect

const DAY = 86_400_000

const millisecondsOf = (time: string) => Date.parse(`${time}Z`)

/** Those that still issue: what they issue today ends before they do. */
const issuing = ({ now }: Backend) =>
  gt(certificateAuthorities.expiration, formatTime(millisecondsOf(now) + CERTIFICATE_DAYS * DAY))

async function newest(backend: Backend): Promise<CertificateAuthority | undefined> {
  const newestFirst = desc(certificateAuthorities.generation)
  return backend.db.select().from(certificateAuthorities).where(issuing(backend)).orderBy(newestFirst).limit(1).get()
}

/** Makes the next authority; of several that do so at the same time one wins. */
async function makeAuthority(backend: Backend): Promise<void> {
  const id = crypto.randomUUID()
  const store = await storeForNewSecrets(backend, AUTHORITY_OWNER)
  const key = await sealingKey(backend, AUTHORITY_OWNER, store)
  const made = await newAuthority(id.slice(0, 8), millisecondsOf(backend.now))
  const sealed = async (kind: 'root' | 'issuing', pkcs8: Uint8Array) => {
    const bytes = Buffer.from(await seal(key, authorityPlace(kind, id), pkcs8))
    pkcs8.fill(0)
    return bytes
  }
  const row = {
    id,
    root: Buffer.from(made.root),
    issuing: Buffer.from(made.issuing),
    expiration: formatTime(made.expires),
    created: backend.now,
    store,
    keyVersion: key.version,
    rootSealed: await sealed('root', made.rootKey),
    issuingSealed: await sealed('issuing', made.issuingKey),
  }
  const generation = sql<number>`(select coalesce(max(generation), 0) + 1 from certificate_authorities)`
  const isMissing = sql`not exists (select 1 from ${certificateAuthorities} where ${issuing(backend)})`
  const next = backend.db
    .select({ count: sql<number>`1` })
    .from(sql`(select 1)`)
    .where(isMissing)
  if (await next.get()) {
    await backend.db
      .insert(certificateAuthorities)
      .values({ ...row, generation })
      .onConflictDoNothing()
  }
}

/** The authority that issues now; the first call of a deployment makes it. */
export async function currentAuthority(backend: Backend): Promise<CertificateAuthority> {
  const known = await newest(backend)
  if (known) return known
  await underSealingKey(backend, AUTHORITY_OWNER, () => makeAuthority(backend))
  const made = await newest(backend)
  if (!made) throw new Error('the certificate authority that was just made is not there')
  return made
}

/** The authority with this id; throws `authorityNotFound`. */
export async function findAuthority(backend: Backend, id: string): Promise<CertificateAuthority> {
  const row = await backend.db.select().from(certificateAuthorities).where(eq(certificateAuthorities.id, id)).get()
  if (!row) throw fault('authorityNotFound')
  return row
}

/** One page of the authorities, oldest first, and how many there are. The first list of a deployment makes one. */
export async function listAuthorities(
  backend: Backend,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: CertificateAuthority[]; total: number }> {
  const oldestFirst = asc(certificateAuthorities.generation)
  const read = async () => {
    const all = await backend.db.select().from(certificateAuthorities).orderBy(oldestFirst)
    return { items: all.slice(page.offset, page.offset + page.limit), total: all.length }
  }
  const found = await read()
  if (found.total > 0) return found
  await currentAuthority(backend)
  return read()
}

/**
 * Opens an authority for signing. Its key is read with the key that seals it, in one round trip: it may have been sealed
 * under another one since `authority` was read.
 */
export async function openedAuthority(backend: Backend, authority: CertificateAuthority): Promise<OpenAuthority> {
  const { store, keyVersion, issuingSealed: sealed } = certificateAuthorities
  const row = await backend.db
    .select({ store, version: keyVersion, sealed, wrapped: projectKeys.wrapped })
    .from(certificateAuthorities)
    .innerJoin(
      projectKeys,
      and(
        eq(projectKeys.projectId, AUTHORITY_OWNER),
        eq(projectKeys.store, store),
        eq(projectKeys.version, keyVersion),
      ),
    )
    .where(eq(certificateAuthorities.id, authority.id))
    .get()
  if (!row) throw new Error('the key of a certificate authority is missing')
  const place = { project: AUTHORITY_OWNER, store: row.store, version: row.version }
  const key = await openKey(backend, place, row.wrapped)
  const pkcs8 = await open(key, authorityPlace('issuing', authority.id), row.sealed)
  return openAuthority(authority.root, authority.issuing, pkcs8)
}

/** The authority's signed revocation list as PEM: the certificates that were revoked and have not ended by themselves. */
export async function revocationsOf(backend: Backend, authority: CertificateAuthority): Promise<string> {
  const { authorityId, expiration, revoked, serial } = issuedCertificates
  const rows = await backend.db
    .select({ serial, revoked })
    .from(issuedCertificates)
    .where(and(eq(authorityId, authority.id), gt(expiration, backend.now), isNotNull(revoked)))
  const entries = rows.flatMap((row) =>
    row.revoked === null ? [] : [{ serial: row.serial, revoked: millisecondsOf(row.revoked) }],
  )
  return revocationList(await openedAuthority(backend, authority), entries, millisecondsOf(backend.now))
}
