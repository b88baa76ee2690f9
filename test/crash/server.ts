/**
 * The service of the crash test: what `npm start` serves, from a bundle that is built already, with the keys of its
 * environment. It loads at once, so that the next one is at hand when this one is killed, and serves when it is told to;
 * it ends with who started it.
 */
import { once } from 'node:events'
import { startRuntime } from '../../src/local/runtime.ts'

const [port = '', state = ''] = process.argv.slice(2)
const { ADMIN_PASSWORD = '', MASTER_KEYS = '' } = process.env
process.once('disconnect', () => process.exit(1))
process.send?.('loaded')
await once(process, 'message')
// The default, said aloud: the demo user of the traffic has the roles of it.
await startRuntime(Number(port), state, { ADMIN_PASSWORD, MASTER_KEYS, POLICY: 'secure' })
process.send?.('ready')
