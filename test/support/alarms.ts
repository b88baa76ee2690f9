/** Alarms of projects' objects, which seal events some time after a change and look things up for it. */
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Environment } from '../../src/config.ts'

/** Takes away the alarms that are set, where what they do would disturb what is measured. */
export async function silenceAlarms(): Promise<void> {
  const { PROJECT } = env as unknown as Environment
  for (const id of await listDurableObjectIds(PROJECT)) {
    await runInDurableObject(PROJECT.get(id), (_, { storage }) => storage.deleteAlarm())
  }
}
