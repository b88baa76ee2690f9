/**
 * Domain names, mailboxes, addresses and URIs: names that certificates may contain, and invalid ones that look alike.
 */
import { describe, expect, it } from 'vitest'
import { alternativeName, areAlternativeNames, type AlternativeKind } from '../../src/crypto/alternative-names.ts'
import { element, sequence } from '../support/signed-requests.ts'

const label63 = 'a'.repeat(63)
/** A name of 253 characters. */
const longest = `${label63}.${label63}.${label63}.${'a'.repeat(61)}`

const good: Readonly<Record<AlternativeKind, readonly string[]>> = {
  dns: [
    'a',
    'localhost',
    'a.example',
    'A.EXAMPLE',
    '*.a.example',
    '*.example',
    'a-b.example',
    'xn--bcher-kva.example',
    '1.a',
    '3com.example',
    '0x1.a',
    longest,
    `${label63}.a`,
  ],
  ip: ['192.0.2.1', '0.0.0.0', '255.255.255.255', '::', '::1', '2001:DB8::1', '1:2:3:4:5:6:7:8', '::ffff:192.0.2.1'],
  email: ['a@b.example', 'a.b@c.example', "o'neil+tag@a.example", 'A_1@B', `${'a'.repeat(64)}@b.example`],
  url: [
    'https://a.example',
    'https://a.example/',
    'HTTPS://A.example:8443/b?c=d&e=%20#f',
    'https://192.0.2.1/',
    'https://[2001:db8::1]:8443/',
    'spiffe://a.example/ns/b/sa/c',
    'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'ldap://a.example/cn=b,o=c?d?base',
    'mailto:a@b.example',
    "x-y+z.1:!$&'()*;",
  ],
}
const bad: Readonly<Record<AlternativeKind, readonly string[]>> = {
  dns: [
    '',
    '.',
    ' ',
    '-.-',
    '-a',
    'a-',
    'a-.b',
    'a..b',
    '.a',
    'a.',
    'a_b',
    '_a.b',
    'a b',
    'a\n',
    'a\0.b',
    'ü.example',
    '*',
    '*.',
    '**.a',
    '*.*.a',
    'a.*.b',
    '*a.b',
    'a*.b',
    'a.*',
    '192.0.2.1',
    '1',
    'a.1',
    'a.0x1',
    'a.0x',
    '*.1',
    '::1',
    'a:1',
    'a/b',
    '@a',
    `${label63}a`,
    `a${longest}`,
    `*.${longest}`,
  ],
  ip: [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4/24',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    'fe80::1%eth0',
    '[::1]',
    '::g',
    ' ::1',
    '::1\n',
    '::ffff:1.2.3',
  ],
  email: [
    '',
    'a',
    '@',
    'a@',
    '@a',
    'a@@b',
    'a@b@c',
    '"CEO"<ceo@bank.example>',
    '"CEO" <ceo@bank.example>',
    '<a@b>',
    '"a"@b',
    'a b@c',
    'a@b c',
    'a@b\n',
    'a\0@b',
    '.a@b',
    'a.@b',
    'a..b@c',
    'a@-b',
    'a@b_c',
    'a@*.b',
    'a@[192.0.2.1]',
    'a@192.0.2.1',
    'ü@a',
    'a@ü',
    'a@b,c@d',
    'a(b)@c',
    `${'a'.repeat(65)}@b`,
    `a@${longest}`,
  ],
  url: [
    '',
    ':',
    'a',
    '/a',
    '//a.example/',
    'a:',
    '1a:b',
    'ä:b',
    'https:// a.example',
    'https://',
    'https:///a',
    'https://a_b.example/',
    'https://*.a.example/',
    'https://-a/',
    'https://ü.example/',
    'https://a.example/ü',
    'https://a.example/ b',
    'https://a.example/\n',
    'https://a.example/\0',
    'https://a.example/<b>',
    'https://a.example/"',
    'https://a.example/\\b',
    'https://a.example\\@b.example/',
    'https://a.example/%',
    'https://a.example/%2',
    'https://a.example/%zz',
    'https://a.example/#b#c',
    'https://a.example/[b]',
    'https://bank.example@a.example/',
    'https://a:b@c.example/',
    'https://a.example:65536/',
    'https://a.example:port/',
    'https://a.example:/x:y@',
    'https://[::1',
    'https://[::1%25eth0]/',
    'https://[192.0.2.1]/',
    'https://300.0.0.1/',
    `https://a.example/${'a'.repeat(2_048)}`,
  ],
}

describe.each(['dns', 'ip', 'email', 'url'] as const)('a name of kind %s', (kind) => {
  it.each(good[kind])('may be %j', (text) => {
    expect(alternativeName(kind, text)).toMatchObject({ type: kind })
  })

  it.each(bad[kind])('is not %j', (text) => {
    expect(alternativeName(kind, text)).toBeNull()
  })
})

describe('names in DER', () => {
  const text = (value: string) => new TextEncoder().encode(value)

  it.each<[boolean, string, Uint8Array]>([
    [true, 'a host', sequence(element(0x82, text('a.example')))],
    [true, 'both versions of addresses', sequence(element(0x87, new Uint8Array(4)), element(0x87, new Uint8Array(16)))],
    [false, 'no name', sequence()],
    [false, 'an address with a mask', sequence(element(0x87, new Uint8Array(8)))],
    [false, 'another kind', sequence(element(0x88, Uint8Array.of(0x2a, 0x03)))],
    [false, 'one of two that is wrong', sequence(element(0x82, text('a.example')), element(0x82, text('a_b')))],
    [false, 'characters beyond ASCII', sequence(element(0x82, text('ü')))],
    [false, 'a SET', element(0x31, element(0x82, text('a.example')))],
  ])('hold (%s): %s', (holds, _name, der) => {
    expect(areAlternativeNames(der)).toBe(holds)
  })
})
