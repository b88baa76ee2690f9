/** A certificate authority in memory, and certificates that it issues. */
import {
  issueCertificate,
  newAuthority,
  openAuthority,
  type OpenAuthority,
  type Profile,
} from '../../src/crypto/certificate-authority.ts'
import { checkRequest } from '../../src/crypto/certificate-requests.ts'
import { readSubject } from '../../src/crypto/distinguished-names.ts'
import { requestForStoredKey } from '../../src/crypto/stored-key-requests.ts'

export async function testAuthority(): Promise<OpenAuthority> {
  const generated = await newAuthority('test', Date.now())
  return openAuthority(generated.root, generated.issuing, generated.issuingKey)
}

/** Issues a certificate for a request; returns it as PEM, or the reason of a refusal. */
export async function certified(
  authority: OpenAuthority,
  request: string,
  profile: Profile = 'default',
): Promise<{ readonly pem: string } | { readonly reason: string }> {
  const checked = await checkRequest(request)
  if (checked.outcome === 'refused') return { reason: checked.reason }
  if (checked.outcome !== 'good') return { reason: checked.outcome }
  const issued = await issueCertificate(authority, checked.request, profile, Date.now())
  return 'reason' in issued ? issued : { pem: new TextDecoder().decode(issued.certificate) }
}

/** Issues a certificate for a stored key and the subject of an order; returns it as PEM, or the reason of a refusal. */
export async function certifiedSubject(
  authority: OpenAuthority,
  privateKey: Uint8Array,
  subject: string,
): Promise<{ readonly pem: string } | { readonly reason: string }> {
  const read = readSubject(subject)
  if (read.outcome === 'syntax') return { reason: 'syntax' }
  if (read.outcome === 'refused') return { reason: read.reason }
  const stored = { privateKey, passphrase: null, subject: read.names, alternativeNames: [] }
  const requested = await requestForStoredKey(stored)
  return requested.outcome === 'refused' ? requested : certified(authority, requested.request)
}
