/** Reads revocation lists with the X.509 library of the service. */
import { X509Crl } from '../../src/crypto/x509.ts'

/** The serial numbers on a revocation list in PEM, in lower-case hexadecimal digits. */
export const revokedSerials = (pem: string): string[] => new X509Crl(pem).entries.map((entry) => entry.serialNumber)
