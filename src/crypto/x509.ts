/** The X.509 library, ready for use. Large, so it is only ever reached by `import()`: most isolates never load it. */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AttributeTypeAndValue,
  AttributeValue,
  CRLNumber,
  id_ce_cRLNumber,
  Name,
  RelativeDistinguishedName,
} from '@peculiar/asn1-x509'

x509.cryptoProvider.set(crypto as unknown as Parameters<typeof x509.PublicKey.create>[1] & object)

/** The CRL number of RFC 5280 section 5.2.3, which the library has no class for. */
export function crlNumber(value: number): x509.Extension {
  return new x509.Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(value)))
}

/** The structures of names, whose own classes in the library read their values as text with escapes. */
export const asn1 = { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } as const

export { AsnConvert }
export * from '@peculiar/x509'
