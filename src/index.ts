/** The Worker: requests, the objects of projects, and the runs of orders outside of them. */
import { WorkerEntrypoint } from 'cloudflare:workers'
import { createApp } from './app.ts'
import { readConfig, type Environment } from './config.ts'
import { factsOf, logProblem } from './log.ts'
import { deleteOldEvents } from './state/audit/retention.ts'
import { wakeAll } from './state/wake.ts'
import { connect } from './state/connect.ts'
import { byService } from './state/scope.ts'
import { deleteExpired } from './state/secrets/expiry.ts'
import { destroyDue } from './state/projects/destructions.ts'
import { resealValues, supersedeKeys } from './state/keys/project-key-versions.ts'
import { rotateMasterKeys } from './state/keys/rotation.ts'
import { runOrder } from './state/orders/order-runs.ts'
import { ORDER_RUN } from './state/orders/order-schedule.ts'
import { DAY, formatTime } from './times.ts'

export { ProjectObject } from './state/object/project-object.ts'

/** Runs an order for the alarm of its project; reached from inside the Worker only. */
export class OrderRunner extends WorkerEntrypoint<Environment> {
  async run(projectId: string, orderId: string): Promise<void> {
    const config = await readConfig(this.env)
    await runOrder(connect(this.env, config, formatTime(Date.now()), byService(ORDER_RUN)), projectId, orderId)
  }
}

const app = createApp()

export default {
  fetch: app.fetch,
  /**
   * The sweep of the cron trigger: expired secrets leave the database within two of its periods, what is to be
   * destroyed is, rotations of master keys and project keys go on, and audit events are sealed and end with their time.
   */
  async scheduled(_controller, env): Promise<void> {
    const config = await readConfig(env)
    const now = Date.now()
    const given = connect(env, config, formatTime(now), byService('Sweep'))
    // It may touch any number of projects: those are woken together at the end.
    const backend = { ...given, recorded: () => undefined }
    const createdBefore = formatTime(now - config.projectKeyDays * DAY)
    const parts = {
      destroy: () => destroyDue(backend),
      expire: () => deleteExpired(backend),
      rewrap: () => rotateMasterKeys(backend),
      supersede: async () => config.projectKeyDays > 0 && supersedeKeys(backend, { createdBefore }),
      reseal: () => resealValues(backend),
      retain: () => deleteOldEvents(backend, config.auditDays),
      wake: () => wakeAll(backend),
    }
    const failures: unknown[] = []
    for (const [part, run] of Object.entries(parts)) {
      try {
        await run()
      } catch (error) {
        // What one part stumbles over must not keep the others from their work: the next sweep tries it again.
        logProblem({ event: 'part of the sweep failed', part, ...factsOf(error) })
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  },
} satisfies ExportedHandler<Environment>
