/** The Worker: requests, the objects of projects, and the runs of orders outside of them. */
import { WorkerEntrypoint } from 'cloudflare:workers'
import { createApp } from './app.ts'
import { readConfig, type Environment } from './config.ts'
import { deleteOldEvents } from './state/audit-retention.ts'
import { wakeAll } from './state/audit-wake.ts'
import { backendOf } from './state/backend.ts'
import { deleteExpired } from './state/expiry.ts'
import { rotateMasterKeys } from './state/rotation.ts'
import { runOrder } from './state/order-runs.ts'
import { ORDER_RUN } from './state/order-schedule.ts'
import { byService } from './state/store.ts'
import { formatTime } from './times.ts'

export { ProjectObject } from './state/project-object.ts'

/** Runs an order for the alarm of its project; reached from inside the Worker only. */
export class OrderRunner extends WorkerEntrypoint<Environment> {
  async run(projectId: string, orderId: string): Promise<void> {
    const config = await readConfig(this.env)
    await runOrder(backendOf(this.env, config, formatTime(Date.now()), byService(ORDER_RUN)), projectId, orderId)
  }
}

const app = createApp()

export default {
  fetch: app.fetch,
  /**
   * The sweep of the cron trigger: expired secrets leave the database within two of its periods, a rotation of the
   * master keys goes on, and audit events are sealed and end with their time.
   */
  async scheduled(_controller, env): Promise<void> {
    const config = await readConfig(env)
    const given = backendOf(env, config, formatTime(Date.now()), byService('Sweep'))
    // It may touch any number of projects: those are woken together at the end.
    const backend = { ...given, recorded: () => undefined }
    await deleteExpired(backend)
    await rotateMasterKeys(backend)
    await deleteOldEvents(backend, config.auditDays)
    await wakeAll(backend)
  },
} satisfies ExportedHandler<Environment>
