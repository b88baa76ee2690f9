/** Alarms of projects' Durable Objects, which seal events some time after a change, and read rows for that. */
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Environment } from '../../src/config.ts'

/** Deletes all alarms, because their work would be counted in a measurement. */
export async function silenceAlarms(): Promise<void> {
  const { PROJECT } = env as unknown as Environment
  for (const id of await listDurableObjectIds(PROJECT)) {
    await runInDurableObject(PROJECT.get(id), (_, { storage }) => storage.deleteAlarm())
  }
}
