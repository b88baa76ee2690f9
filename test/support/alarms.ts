/** Alarms of projects' objects, which seal events some time after a change and read rows for it. */
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Environment } from '../../src/config.ts'

/** Deletes the alarms that are set, because their work would be counted in a measurement. */
export async function silenceAlarms(): Promise<void> {
  const { PROJECT } = env as unknown as Environment
  for (const id of await listDurableObjectIds(PROJECT)) {
    await runInDurableObject(PROJECT.get(id), (_, { storage }) => storage.deleteAlarm())
  }
}
