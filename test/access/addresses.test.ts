/** Addresses of clients: which header is believed to be one, and what of it failed log-ins are counted by. */
import { describe, expect, it } from 'vitest'
import { clientAddress, networkOf } from '../../src/access/addresses.ts'

describe('the address of a client', () => {
  it.each(['192.0.2.1', '2001:db8::1', '::1', '::ffff:192.0.2.1', 'FE80::1'])('%s is one', (address) => {
    expect(clientAddress(address)).toBe(address)
    expect(clientAddress(` ${address} `)).toBe(address)
  })

  it.each([undefined, '', 'local', 'a name', '192.0.2.1, 192.0.2.2', '<script>', 'deadbeef', '1:'.repeat(40)])(
    '%s is none',
    (header) => {
      expect(clientAddress(header)).toBe('local')
    },
  )

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['local', 'local'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    [':::', 'local'],
    ['1:2:3:4:5:6:7:8:9', 'local'],
  ])('log-ins from %s are counted by %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
