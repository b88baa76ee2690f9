/**
 * A dump is restored beneath Durable Objects that have seen what came after it: one incident that sums up, reads that go
 * on, a reconciliation that says who confirmed what was lost, then quiet, and a log whose only gap is the one reported.
 */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SWEEP_MILLISECONDS } from '../../src/local/runtime.ts'
import { show, text } from './openstack.ts'
import { dump, KEYS_FILE, program, ROOT, type Operator } from './operator.ts'
import { run } from './process.ts'

/** An object seals the events of a change within fifteen seconds. */
const MOST_SEALING_MILLISECONDS = 60_000
const SECRET = { payload_content_type: 'text/plain' }

interface Event {
  readonly number: number
  readonly action: string
  readonly name: string
  readonly initiator: { readonly id: string }
  readonly target: { readonly typeURI: string; readonly id: string }
}

interface Log {
  readonly events: readonly Event[]
  readonly head: { readonly number: number; readonly hash: string }
  readonly incidents: readonly { readonly reconciled?: string }[]
  readonly rows: readonly string[]
}

interface ProjectReport {
  readonly incidents: readonly { readonly expected: { number: number }; readonly found: { number: number } }[]
  readonly rows: Readonly<Record<'changed' | 'gone' | 'unknown', number>> & { readonly first: readonly string[] }
}

/** The requests of the demo user, as what it has in its project. */
class Tenant {
  readonly #operator: Operator

  constructor(operator: Operator) {
    this.#operator = operator
  }

  async call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return (await this.#operator.call(method, path, body)) as Answer
  }

  async secret(name: string, payload?: string): Promise<string> {
    const body = { name, ...(payload !== undefined && { payload, ...SECRET }) }
    return (await this.call<{ secret_ref: string }>('POST', '/v1/secrets', body)).secret_ref
  }

  async order(name: string): Promise<string> {
    const meta = { name, algorithm: 'aes', bit_length: 256, mode: 'gcm' }
    return (await this.call<{ order_ref: string }>('POST', '/v1/orders', { type: 'key', meta })).order_ref
  }

  async container(name: string, ref: string): Promise<string> {
    const body = { type: 'generic', name, secret_refs: [{ name: 'one', secret_ref: ref }] }
    return (await this.call<{ container_ref: string }>('POST', '/v1/containers', body)).container_ref
  }

  async consumer(ref: string, id: string): Promise<void> {
    await this.call('POST', `${ref}/consumers`, { service: 'compute', resource_type: 'instance', resource_id: id })
  }

  /** All sealed events of the project. */
  async log(): Promise<Log> {
    const events: Event[] = []
    for (let marker = 0; ;) {
      const page = await this.call<Log & { marker?: number }>('GET', `/v1/audit?limit=100&head=true&marker=${marker}`)
      events.push(...page.events)
      if (page.marker === undefined) return { ...page, events }
      marker = page.marker
    }
  }

  /** Waits until an event for which this is true is sealed, and with it all earlier ones; returns the log. */
  async sealed(isLast: (event: Event) => boolean): Promise<Log> {
    for (const deadline = Date.now() + MOST_SEALING_MILLISECONDS; ;) {
      const log = await this.log()
      if (log.events.some(isLast)) return log
      assert.ok(Date.now() < deadline, `not sealed: the log ends at event ${log.events.at(-1)?.number}`)
      await sleep(2_000)
    }
  }
}

const idOf = (ref: string) => ref.split('/').at(-1) ?? ''
const about = (ref: string) => (event: Event) => event.target.id === idOf(ref)

/** What is in the dump, and the number of its last event. */
interface Dumped {
  readonly secret: string
  readonly empty: string
  readonly container: string
  readonly passing: string
  readonly order: string
  readonly end: number
}

async function fill(tenant: Tenant): Promise<Dumped> {
  const secret = await tenant.secret('in a container', 'of the dump')
  const order = await tenant.order('of the dump')
  const [container, passing] = [await tenant.container('kept', secret), await tenant.container('passing', secret)]
  await tenant.consumer(secret, 'of the dump')
  const empty = await tenant.secret('without a payload')
  const { events } = await tenant.sealed(about(empty))
  return { secret, empty, container, passing, order, end: events.at(-1)?.number ?? 0 }
}

/** Changes that the dump lacks: two secrets and an order are new, a secret is changed, a container is deleted. */
async function change(tenant: Tenant, { empty, secret, passing }: Dumped): Promise<readonly string[]> {
  const order = await tenant.order('lost')
  const { secret_ref: key } = await tenant.call<{ secret_ref: string }>('GET', order)
  await tenant.call('PUT', `${empty}/acl`, { read: { 'project-access': false } })
  await tenant.consumer(secret, 'lost')
  await tenant.call('DELETE', passing)
  const lost = await tenant.secret('lost', 'after the dump')
  await tenant.sealed(about(lost))
  return [`secret/${idOf(key)} gone`, `order/${idOf(order)} gone`, `secret/${idOf(lost)} gone`]
}

/** The state of the dump is served: what is in it is read, what came after it is not there. */
async function isAsDumped(tenant: Tenant, { secret, container, passing, order }: Dumped): Promise<void> {
  for (const ref of [container, passing]) {
    const { secret_refs: members } = await tenant.call<{ secret_refs: { secret_ref: string }[] }>('GET', ref)
    assert.deepEqual(
      members.map((member) => idOf(member.secret_ref)),
      [idOf(secret)],
    )
  }
  assert.equal((await tenant.call<{ status: string }>('GET', order)).status, 'ACTIVE')
  const { consumers } = await tenant.call<{ consumers: { resource_id: string }[] }>('GET', `${secret}/consumers`)
  assert.deepEqual(
    consumers.map(({ resource_id: id }) => id),
    ['of the dump'],
  )
}

/** Reports until all is compared. */
async function reported(operator: Operator, project: string): Promise<{ confirm: string; projects: ProjectReport[] }> {
  for (;;) {
    const report = await operator.admin('POST', '/reconcile', { project_id: project })
    if (report['complete'] === true) return report as unknown as { confirm: string; projects: ProjectReport[] }
  }
}

/** The log of the project says once what was found, and once who adopted it. Returns the number of the first event after. */
function tellsOnce({ events, incidents, rows }: Log, end: number, sum: string, operatorId: string): number {
  const monitored = events.filter(({ action }) => action === 'monitor').slice(-2)
  const [ended, summed] = monitored.map(({ name }) => name)
  const found = events.filter(({ action, number }) => action === 'monitor' && number > end)
  assert.equal(found.length, 2, `events of the incident: ${found.map(({ name }) => name).join(' | ')}`)
  assert.match(ended ?? '', new RegExp(`the log ended at event ${end}, its head was event \\d+$`))
  assert.ok(summed?.includes(sum), `${summed} does not sum up: ${sum}`)
  const adopted = events.filter(({ name, number }) => name.startsWith('Reconciliation') && number > end)
  assert.equal(adopted.length, 1)
  assert.equal(adopted[0]?.initiator.id, operatorId)
  assert.ok(adopted[0]?.name.includes(sum) && adopted[0].name.includes(`the log ended at event ${end}`))
  assert.ok(incidents.every(({ reconciled }) => reconciled !== undefined))
  assert.deepEqual(rows, [])
  return found[0]?.number ?? 0
}

/** Each part of the log that an incident begins is intact, and a gap shows where parts are put together. */
async function verifies({ events, head }: Log, gap: number, folder: string): Promise<void> {
  const starts = events.filter(({ action, name }) => action === 'monitor' && name.includes('the log ended at event'))
  const bounds = [1, ...starts.map(({ number }) => number), head.number + 1]
  assert.equal(bounds.at(-2), gap)
  const verify = (from: number, to: number) => {
    const part = events.filter(({ number }) => number >= from && number < to)
    const file = join(folder, 'audit.json')
    writeFileSync(file, JSON.stringify({ events: part, ...(to > head.number && { head }) }))
    return run(process.execPath, [join(ROOT, 'src', 'local', 'audit-verify.ts'), file])
  }
  for (const [at, from] of bounds.slice(0, -1).entries()) {
    const { stdout, stderr } = await verify(from, bounds[at + 1]!)
    assert.match(stdout, /: intact/, stderr)
  }
  const { status, stderr } = await verify(bounds.at(-3)!, head.number + 1)
  assert.equal(status, 1)
  assert.match(stderr, new RegExp(`the chain is broken: event ${gap} stands where`))
}

/**
 * Dumps the service of the state folder `from`, goes on with it, and restores the dump into the new state folder `to` with
 * the objects of the first. Leaves the operator with the service of `to`, reconciled and running.
 */
export async function restoreOlderState(
  operator: Operator,
  { from, to, folder }: { readonly from: string; readonly to: string; readonly folder: string },
): Promise<void> {
  const { step } = operator.report
  const tenant = new Tenant(operator)
  const dumped = await step('containers, consumers and orders are stored and sealed', () => fill(tenant))
  const file = await step('the database is dumped', async () => {
    await operator.stop()
    return dump(from, folder)
  })
  await step('the drill opens every value of the dump', () =>
    program('drill.ts', file, '--keys', join(from, KEYS_FILE)),
  )
  const gone = await step('the service goes on after the dump', async () => {
    await operator.start(from)
    const lost = await change(tenant, dumped)
    await operator.stop()
    return lost
  })
  await step('the dump is restored beneath the same objects, read-only, and reads go on', async () => {
    await program('restore.ts', file, '--persist-to', to)
    cpSync(join(from, KEYS_FILE), join(to, KEYS_FILE))
    cpSync(join(from, 'v3', 'do'), join(to, 'v3', 'do'), { recursive: true })
    await operator.start(to, { READ_ONLY: 'on' })
    await operator.readsAll()
    await isAsDumped(tenant, dumped)
    await operator.isReadOnly()
  })
  const project = text(await show(await operator.user(), 'project', 'show', 'demo'), 'id')
  const sum = '5 rows differ: 1 changed, 3 gone, 1 unknown'
  await step('the report has one incident of the project, and changes nothing', async () => {
    const { confirm, projects } = await reported(operator, project)
    assert.equal(projects.length, 1)
    const { incidents, rows } = projects[0]!
    assert.equal(incidents.length, 1)
    assert.equal(incidents[0]?.found.number, dumped.end)
    const { first, ...counts } = rows
    assert.deepEqual(counts, { changed: 1, gone: 3, unknown: 1 })
    const differing = [...gone, `secret/${idOf(dumped.empty)} changed`, `container/${idOf(dumped.passing)} unknown`]
    assert.deepEqual(first.toSorted(), differing.toSorted())
    assert.equal((await reported(operator, project)).confirm, confirm)
  })
  const log = await step(
    'the confirmed report is adopted, with an event that says who did it and what was lost',
    async () => {
      assert.ok((await operator.reconcile()) >= 5)
      assert.equal(await operator.reconcile(), 0)
      await operator.stop()
      await operator.start(to)
      return tenant.sealed(({ name, number }) => name.startsWith('Reconciliation') && number > dumped.end)
    },
  )
  const operatorId = text(await show(await operator.administrator(), 'user', 'show', 'admin'), 'id')
  const gap = await step('the log tells the incident once', async () => tellsOnce(log, dumped.end, sum, operatorId))
  await step('two sweeps later nothing more is said, and reads go on', async () => {
    await sleep(2.1 * SWEEP_MILLISECONDS)
    await operator.readsAll()
    assert.deepEqual(await tenant.log(), log)
    await isAsDumped(tenant, dumped)
  })
  await step('the audit log verifies but for the gap', async () => {
    await operator.store('after the restore', 'written again')
    const last = await tenant.sealed(({ number }) => number > log.head.number)
    await verifies(last, gap, folder)
  })
  await step('the drill of the reconciled database finds no fault, and names the gap', async () => {
    await operator.stop()
    const last = await dump(to, folder)
    await operator.start(to)
    const found = await program('drill.ts', last, '--keys', join(to, KEYS_FILE))
    assert.ok(found.includes(`reported by the log as an incident: event ${gap} of ${project}`), found)
    await operator.readsAll()
  })
}
