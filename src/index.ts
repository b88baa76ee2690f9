/** The Worker: requests, the objects of projects, and the runs of orders outside of them. */
import { WorkerEntrypoint } from 'cloudflare:workers'
import { createApp } from './app.ts'
import { readConfig, type Environment } from './config.ts'
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
   * The sweep of the cron trigger: expired secrets leave the database within two of its periods, and a rotation of the
   * master keys goes on.
   */
  async scheduled(_controller, env): Promise<void> {
    const backend = backendOf(env, await readConfig(env), formatTime(Date.now()), byService('Sweep'))
    await deleteExpired(backend)
    await rotateMasterKeys(backend)
  },
} satisfies ExportedHandler<Environment>
