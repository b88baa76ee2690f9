/**
 * The service of the crash test: serves an existing bundle as `npm start` does, with keys from the environment. It
 * loads its modules immediately and starts to serve on a message, so that the next service is ready when one is killed.
 * It exits when its parent process does.
 */
import { once } from 'node:events'
import { startRuntime } from '../../src/local/runtime.ts'

const [port = '', state = ''] = process.argv.slice(2)
const { ADMIN_PASSWORD = '', MASTER_KEYS = '' } = process.env
process.once('disconnect', () => process.exit(1))
process.send?.('loaded')
await once(process, 'message')
// Explicit, although it is the default: the traffic is that of the demo user, who has the roles for it.
await startRuntime(Number(port), state, { ADMIN_PASSWORD, MASTER_KEYS, POLICY: 'secure' })
process.send?.('ready')
