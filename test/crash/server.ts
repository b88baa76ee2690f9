/**
 * The service of the crash test: what `npm start` serves, from a bundle that is built already. It loads at once, so that
 * the next one is at hand when this one is killed, and serves when it is told to; it ends with who started it.
 */
import { once } from 'node:events'
import { localKeys } from '../../src/local/keys.ts'
import { startRuntime } from '../../src/local/runtime.ts'

const [port = '', state = ''] = process.argv.slice(2)
process.stdin.once('end', () => process.exit(1))
console.log('loaded')
await once(process.stdin, 'data')
const { DEMO_PASSWORD: _, ...keys } = localKeys(state)
await startRuntime(Number(port), state, keys)
console.log('ready')
