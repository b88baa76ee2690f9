/** Addresses of clients, as far as log-ins are counted by them. */

/** The address of clients that come without one: those of this machine, as no proxy stands before the service. */
export const LOCAL = 'local'

/** The longest text of an IPv6 address. */
const MOST_ADDRESS_CHARACTERS = 45
/** The groups of an IPv6 address that a network of one customer has in common: a /64. */
const NETWORK_GROUPS = 4
const GROUPS = 8

/** The address in `CF-Connecting-IP`, which Cloudflare sets; anything that is no address counts as {@link LOCAL}. */
export function clientAddress(header: string | undefined): string {
  const given = header?.trim() ?? ''
  return given.length <= MOST_ADDRESS_CHARACTERS && /^[\da-f]*[:.][\da-f:.]*$/i.test(given) ? given : LOCAL
}

/** The eight groups of an IPv6 address; null for text that is none. */
function groupsOf(address: string): string[] | null {
  const url = URL.canParse(`http://[${address}]`) ? new URL(`http://[${address}]`) : null
  if (!url) return null
  const [head = '', tail] = url.hostname.slice(1, -1).split('::')
  const [before, after] = [head.split(':').filter(Boolean), (tail ?? '').split(':').filter(Boolean)]
  if (tail === undefined) return before
  return [...before, ...Array.from({ length: GROUPS - before.length - after.length }, () => '0'), ...after]
}

/**
 * What of an address failed log-ins are counted by: an IPv4 address, mapped into IPv6 or not, is whole, and of an IPv6
 * address it is the network of 64 bits, in which one client has as many addresses as it likes.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const groups = groupsOf(address)
  if (!groups) return LOCAL
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff') {
    const [high, low] = groups.slice(6).map((group) => Number.parseInt(group, 16))
    const bytes = [high, low].flatMap((pair = 0) => [pair >> 8, pair & 255])
    return bytes.join('.')
  }
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`
}
