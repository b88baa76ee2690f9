/** The configured X.509 library. It is large and most isolates never need it, so import it with `import()` only. */
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

/** Returns the CRL number extension (RFC 5280 section 5.2.3), for which the library has no class. */
export function crlNumber(value: number): x509.Extension {
  return new x509.Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(value)))
}

/** The ASN.1 structures of names. The library's own classes for names interpret escapes in values. */
export const asn1 = { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } as const

export { AsnConvert }
export * from '@peculiar/x509'
