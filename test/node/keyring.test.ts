/** What `npm start` and `npm run audit:verify` use of the crypto room runs in Node as well, not only in workerd. */
import { expect, it } from 'vitest'
import { chainHash, GENESIS } from '../../src/crypto/event-chain.ts'
import { readKeyring } from '../../src/crypto/keyring.ts'

it('the keyring is read in Node, where bytes have no methods for base64', async () => {
  const keyring = await readKeyring('local:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc=')
  expect(keyring.primary.id).toBe('local')
  await expect(readKeyring('local:AAAA')).rejects.toThrow()
})

it('the hash of an audit event is computed in Node', async () => {
  expect(await chainHash(GENESIS, { number: 1 })).toMatch(/^[\da-f]{64}$/)
})
