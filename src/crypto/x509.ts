/** The X.509 library, ready for use. Large, so it is only ever reached by `import()`: most isolates never load it. */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { AsnConvert } from '@peculiar/asn1-schema'
import { CRLNumber, id_ce_cRLNumber } from '@peculiar/asn1-x509'

x509.cryptoProvider.set(crypto as unknown as Parameters<typeof x509.PublicKey.create>[1] & object)

/** The CRL number of RFC 5280 section 5.2.3, which the library has no class for. */
export function crlNumber(value: number): x509.Extension {
  return new x509.Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(value)))
}

export { Constructed, fromBER, Integer } from 'asn1js'
export * from '@peculiar/x509'
