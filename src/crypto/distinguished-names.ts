/** Distinguished names as orders give them: text of RFC 4514, the most specific part first (`cn=a.example,o=b,c=US`). */

/** The attributes that a certificate may carry, by the names in which clients write them, in any case. */
const attributes: Readonly<Record<string, string>> = {
  cn: '2.5.4.3',
  sn: '2.5.4.4',
  serialnumber: '2.5.4.5',
  c: '2.5.4.6',
  l: '2.5.4.7',
  st: '2.5.4.8',
  street: '2.5.4.9',
  o: '2.5.4.10',
  ou: '2.5.4.11',
  title: '2.5.4.12',
  givenname: '2.5.4.42',
  dc: '0.9.2342.19200300.100.1.25',
  uid: '0.9.2342.19200300.100.1.1',
  emailaddress: '1.2.840.113549.1.9.1',
  email: '1.2.840.113549.1.9.1',
}

/** Longer than any real name, short enough that no text takes long to refuse. */
const MOST_NAME_CHARACTERS = 1_000

/** One part of a name: the type as it was written, and its value without escapes. */
export interface NamePart {
  readonly type: string
  readonly value: string
}

const PART = /^\s*([a-z][\w.-]*|\d+(?:\.\d+)+)\s*=\s*((?:\\.|[^\\,;+"<>])*[^\\,;+"<>\s]|\\.)\s*$/i

/** The parts of a name, the most specific first; null for what is none: an empty part, no `=`, no value, too long. */
export function parseName(text: string): NamePart[] | null {
  if (text.length > MOST_NAME_CHARACTERS) return null
  const parts = text.match(/(?:\\.|[^\\,])+|(?<=,|^)(?=,|$)/g) ?? []
  const named = parts.map((part) => PART.exec(part))
  if (named.length === 0 || text.trimEnd().endsWith(',') || named.includes(null)) return null
  return named.map((match) => ({ type: match?.[1] ?? '', value: (match?.[2] ?? '').replaceAll(/\\(.)/g, '$1') }))
}

/**
 * The name in the order of a certificate, the most general part first, each part under its object identifier; null when
 * an attribute is not one of X.509's.
 */
export function certificateName(parts: readonly NamePart[]): Record<string, string[]>[] | null {
  const known = parts.map(({ type, value }) => {
    const identifier = /^\d/.test(type) ? type : attributes[type.toLowerCase()]
    return identifier === undefined ? null : { [identifier]: [value] }
  })
  return known.includes(null) ? null : known.flatMap((part) => (part ? [part] : [])).toReversed()
}
