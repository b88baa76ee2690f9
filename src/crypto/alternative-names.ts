/**
 * Subject alternative names (RFC 5280 section 4.2.1.6): the kinds that certificates carry and a strict validator for
 * each. They are domain names, mailboxes, IP addresses and URIs, all in ASCII.
 */
import { isIP } from 'node:net'
import { asciiOf, elementsOf, readElement, tags } from './der.ts'

/** RFC 1035 section 2.3.4: 255 octets on the wire, less the first length octet and the root label. */
const MOST_DOMAIN_CHARACTERS = 253
/** RFC 5321 section 4.5.3.1. */
const MOST_LOCAL_CHARACTERS = 64
const MOST_MAILBOX_CHARACTERS = 254
const MOST_URI_CHARACTERS = 2_048
const MOST_PORT = 65_535

/** Letters, digits and inner hyphens (RFC 5890 section 2.3.1), at most 63. */
export const isDomainLabel = (text: string) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(text)

/**
 * Reports whether a text is a domain name of LDH labels. A name whose last label is a number is rejected, because some
 * parsers treat it as an IPv4 address (URL Standard, ends-in-a-number checker).
 */
function isDomainName(text: string): boolean {
  if (text.length > MOST_DOMAIN_CHARACTERS) return false
  const labels = text.split('.')
  return labels.every(isDomainLabel) && !/^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '')
}

/**
 * Reports whether a text is a dNSName: a domain name whose first label may be the wildcard `*` (RFC 6125 section
 * 6.4.3).
 */
export function isDnsName(text: string): boolean {
  return text.length <= MOST_DOMAIN_CHARACTERS && isDomainName(text.replace(/^\*\./, ''))
}

/** Reports whether a text is a mailbox (RFC 5321 section 4.1.2) without quoted strings and address literals. */
export function isMailbox(text: string): boolean {
  const [, local = '', domain = ''] = /^([\w!#$%&'*+/=?^`{|}~.-]+)@(.+)$/.exec(text) ?? []
  const isDotString = /^[^.]+(?:\.[^.]+)*$/.test(local)
  return (
    text.length <= MOST_MAILBOX_CHARACTERS &&
    local.length <= MOST_LOCAL_CHARACTERS &&
    isDotString &&
    isDomainName(domain)
  )
}

/**
 * Returns an IP address in the form that the X.509 library parses correctly: the library parses the decimal part of
 * `::ffff:192.0.2.1` as hexadecimal. Returns null for an invalid address, and for one with a zone id, which is only
 * meaningful on one host.
 */
function plainAddress(text: string): string | null {
  const version = text.includes('%') ? 0 : isIP(text)
  if (version === 6) return new URL(`http://[${text}]`).hostname.slice(1, -1)
  return version === 4 ? text : null
}

/**
 * Reports whether a text is a host with an optional port. User information is rejected: it can be mistaken for the
 * host.
 */
function isAuthority(text: string): boolean {
  const [, host = '', literal, port = '0'] = /^(\[([^\]]*)\]|[^:@[\]]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  const isHost =
    literal === undefined
      ? isDomainName(host) || isIP(host) === 4
      : isIP(literal) === 6 && plainAddress(literal) !== null
  return isHost && Number(port) <= MOST_PORT
}

/** Reports whether a text is an absolute URI (RFC 3986 sections 2 and 3) with a valid authority, if it has one. */
function isAbsoluteUri(text: string): boolean {
  const [, rest = ''] = /^[a-z][a-z\d+.-]*:(.+)$/i.exec(text) ?? []
  if (text.length > MOST_URI_CHARACTERS || !/^(?:[\w.~!$&'()*+,;=:@/?#[\]-]|%[\da-f]{2})+$/i.test(rest)) return false
  const [beforeFragment = '', ...fragments] = rest.split('#')
  if (fragments.length > 1) return false
  const [, authority, path = ''] = /^(?:\/\/([^/?]*))?(.*)$/.exec(beforeFragment) ?? []
  // Brackets are only allowed around an IP literal in the authority.
  return !/[[\]]/.test(path + (fragments[0] ?? '')) && (authority === undefined || isAuthority(authority))
}

/** The kinds of names that are copied into certificates; others, such as otherName, are dropped. */
const alternativeKinds = {
  dns: { tag: 0x82, holds: isDnsName },
  ip: { tag: 0x87, holds: (text: string) => plainAddress(text) !== null },
  email: { tag: 0x81, holds: isMailbox },
  url: { tag: 0x86, holds: isAbsoluteUri },
} as const
export type AlternativeKind = keyof typeof alternativeKinds

export interface AlternativeName {
  readonly type: AlternativeKind
  readonly value: string
}

export const isAlternativeKind = (kind: string): kind is AlternativeKind => Object.hasOwn(alternativeKinds, kind)

/** Returns a name of this kind in the form that the X.509 library encodes, or null for an invalid text. */
export function alternativeName(type: AlternativeKind, text: string): AlternativeName | null {
  if (!alternativeKinds[type].holds(text)) return null
  return { type, value: type === 'ip' ? (plainAddress(text) ?? text) : text }
}

/** The byte lengths of IPv4 and IPv6 addresses (RFC 5280 section 4.2.1.6). */
const addressBytes = new Set([4, 16])

/** Reports whether the DER of a SubjectAltName has at least one name, and only names that may be issued. */
export function areAlternativeNames(der: Uint8Array): boolean {
  const names = elementsOf(readElement(der), tags.sequence) ?? []
  return (
    names.length > 0 &&
    names.every(({ tag, content }) => {
      const kind = Object.values(alternativeKinds).find((each) => each.tag === tag)
      if (kind === alternativeKinds.ip) return addressBytes.has(content.length)
      const text = asciiOf(content)
      return kind !== undefined && text !== null && kind.holds(text)
    })
  )
}
