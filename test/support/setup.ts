import { exports } from 'cloudflare:workers'
import { afterEach, vi } from 'vitest'
import { provoked } from './provoked.ts'
import './recorded-requests.ts'

/** The first request finds an empty database, and the Worker applies its migrations. */
const { default: worker } = exports as unknown as { default: Fetcher }
const MIGRATION_MILLISECONDS = 60_000
await vi.waitUntil(async () => (await worker.fetch('http://127.0.0.1/')).status !== 503, {
  interval: 10,
  timeout: MIGRATION_MILLISECONDS,
})

afterEach(({ task }) => {
  if (provoked.size > 0) task.meta.provoked = [...provoked]
  provoked.clear()
})

/** Hooks create users, which is slow with a real Keystone. */
vi.setConfig({ hookTimeout: 60_000 })
