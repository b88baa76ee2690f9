/** A certificate parser for tests, independent of the code under test. */

interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

export interface Attribute {
  readonly type: string
  /** The ASN.1 tag of the value. */
  readonly tag: number
  readonly text: string
}

function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, first = 0] = bytes.subarray(at)
    const more = first < 0x80 ? 0 : first - 0x80
    const size = more === 0 ? first : Number(`0x${Buffer.from(bytes.subarray(at + 2, at + 2 + more)).toString('hex')}`)
    const start = at + 2 + more
    if (start + size > bytes.length) throw new Error('an element is cut off')
    found.push({ tag, content: bytes.subarray(start, start + size) })
    at = start + size
  }
  return found
}

function dotted(content: Uint8Array): string {
  const arcs: bigint[] = []
  let arc = 0n
  for (const byte of content) {
    arc = arc * 128n + BigInt(byte & 0x7f)
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const [first = 0n, ...rest] = arcs
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n
  return [root, first - root * 40n, ...rest].join('.')
}

const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function attribute({ content }: Element): Attribute {
  const [type, value] = elements(content)
  if (!type || !value) throw new Error('an attribute is not whole')
  return { type: dotted(type.content), tag: value.tag, text: fatal.decode(value.content) }
}

/** Parses the subject and the extensions of a certificate in PEM. */
export function readCertificate(pem: Uint8Array | string) {
  const text = typeof pem === 'string' ? pem : new TextDecoder().decode(pem)
  const der = Uint8Array.from(Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
  const [certificate] = elements(der)
  const [signed] = elements(certificate?.content ?? der)
  const parts = elements(signed?.content ?? der)
  const subject = elements(parts[5]?.content ?? der).map(({ content }) => elements(content).map(attribute))
  const [list] = elements(parts[7]?.content ?? der)
  const extensions = elements(list?.content ?? der).map(({ content }) => {
    const inside = elements(content)
    const value = Buffer.from(inside.at(-1)?.content ?? []).toString('hex')
    return { type: dotted(inside[0]?.content ?? der), critical: inside.length === 3, value }
  })
  const values = new Map(extensions.map((each) => [each.type, each] as const))
  const names = values.get('2.5.29.17')?.value
  const alternativeNames = names
    ? elements(elements(Uint8Array.from(Buffer.from(names, 'hex')))[0]?.content ?? der).map(({ tag, content }) => ({
        tag,
        text: tag === 0x87 ? Buffer.from(content).toString('hex') : fatal.decode(content),
      }))
    : []
  return { subject, extensions: values, alternativeNames }
}
