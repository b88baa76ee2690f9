/**
 * The service of the crash test: what `npm start` serves, from a bundle that is built already. To be killed. MASTER_KEYS
 * in its environment stand in for those of the state folder.
 */
import { localKeys } from '../../src/local/keys.ts'
import { startRuntime } from '../../src/local/runtime.ts'

const [port = '', state = ''] = process.argv.slice(2)
const { DEMO_PASSWORD: _, ...keys } = localKeys(state)
await startRuntime(Number(port), state, { ...keys, MASTER_KEYS: process.env['MASTER_KEYS'] ?? keys.MASTER_KEYS })
console.log('ready')
