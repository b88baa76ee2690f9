/** What a local service says while it starts, and where it keeps what. */
import { join, resolve } from 'node:path'
import { KEYS_FILE } from './keys.ts'

/** Prints what is being done and, when it is done, the seconds that it took. */
export async function step<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const started = performance.now()
  process.stdout.write(`${what} … `)
  try {
    const value = await work()
    console.log(`${((performance.now() - started) / 1_000).toFixed(1)} s`)
    return value
  } catch (error) {
    console.log('failed')
    throw error
  }
}

/** Says that the service is ready, and where its state and its passwords are. */
export function announce(url: string, state: string): void {
  console.log(`Portcullis is ready on ${url}`)
  console.log(`  state:     ${resolve(state)}`)
  console.log(`  passwords: ${join(resolve(state), KEYS_FILE)} (of admin and demo, and the master key)`)
}
