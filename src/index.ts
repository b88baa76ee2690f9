/**
 * The Worker's entry points: HTTP requests, the cron trigger, the Durable Objects of projects, order runs, and
 * `KeyManager` for service bindings of other Workers. Every named export can be bound by every Worker of the account.
 */
import { WorkerEntrypoint } from 'cloudflare:workers'
import { createApp } from './app.ts'
import { readConfig, type Environment } from './config.ts'
import { factsOf, logProblem } from './log.ts'
import { deleteOldEvents } from './state/audit/retention.ts'
import { wakeAll } from './state/wake.ts'
import { connect, requireAdmission } from './state/connect.ts'
import { isWritable } from './state/read-only.ts'
import { byService } from './state/scope.ts'
import { deleteExpired } from './state/secrets/expiry.ts'
import { rotateDueSecrets } from './state/secrets/versioning.ts'
import { destroyDue } from './state/projects/destructions.ts'
import { resealValues, supersedeKeys } from './state/keys/project-key-versions.ts'
import { rotateMasterKeys } from './state/keys/rotation.ts'
import { runOrder } from './state/orders/order-runs.ts'
import { ORDER_RUN } from './state/orders/order-schedule.ts'
import { DAY, formatTime } from './times.ts'

export { ProjectObject } from './state/object/project-object.ts'
export { KeyManager } from './wire/key-manager.ts'

/**
 * Runs an order when the alarm of its project's Durable Object fires. Every Worker of the account can bind this class, so
 * it requires a pass that the Durable Object issued for the run that it claimed.
 */
export class OrderRunner extends WorkerEntrypoint<Environment> {
  async run(projectId: string, orderId: string, pass: string): Promise<void> {
    const config = await readConfig(this.env)
    const backend = connect(this.env, config, formatTime(Date.now()), byService(ORDER_RUN))
    if (!(await backend.projects.getByName(projectId).takePass(orderId, pass))) {
      logProblem({ event: 'run of an order without a pass refused' })
      return
    }
    await runOrder(backend, projectId, orderId)
  }
}

const app = createApp()

export default {
  fetch: app.fetch,
  /**
   * Runs the periodic maintenance of the cron trigger: it destroys the keys of projects whose destruction is due,
   * deletes expired secrets (within two periods of the trigger), replaces keys that have reached their age, continues rotations of master keys and project keys,
   * deletes audit events past their retention, and has new audit events sealed. Throws the first error after all tasks
   * have run. Does nothing while the service is read-only, and throws why unless the database has the Worker's schema and
   * is that of its deployment.
   */
  async scheduled(_controller, env): Promise<void> {
    const config = await readConfig(env)
    const now = Date.now()
    const connected = connect(env, config, formatTime(now), byService('Sweep'))
    await requireAdmission(connected)
    // The next run does what this one leaves.
    if (!(await isWritable(connected))) return
    // The tasks may change many projects, so their Durable Objects are woken together at the end.
    const backend = { ...connected, recorded: () => undefined }
    const createdBefore = formatTime(now - config.projectKeyDays * DAY)
    const tasks = {
      destroy: () => destroyDue(backend),
      expire: () => deleteExpired(backend),
      rotate: () => rotateDueSecrets(backend),
      rewrap: () => rotateMasterKeys(backend),
      supersede: async () => config.projectKeyDays > 0 && supersedeKeys(backend, { createdBefore }),
      reseal: () => resealValues(backend),
      retain: () => deleteOldEvents(backend, config.auditDays),
      wake: () => wakeAll(backend),
    }
    const failures: unknown[] = []
    for (const [task, run] of Object.entries(tasks)) {
      try {
        await run()
      } catch (error) {
        // A failed task must not stop the others; the next run of the trigger retries it.
        logProblem({ event: 'sweep task failed', task, ...factsOf(error) })
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  },
} satisfies ExportedHandler<Environment>
