/**
 * A year of an operator in some minutes, with the programs that `src/docs/operating.md` names: a database of an earlier
 * schema is upgraded, used, run beside a staging service, killed, dumped, drilled, restored, reconciled, given new master
 * keys, and one project of it is destroyed. The stock client reads the same secrets after every step.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { show, succeed, text } from './openstack.ts'
import { FIRST_KEYS, Operator, program, writeKeys } from './operator.ts'
import { freePort, run } from './process.ts'
import type { Outcome } from './report.ts'
import { restoreOlderState } from './year-restore.ts'

/** A dump of a service as it was with the first three migrations, with the keys and passwords that it had. */
const EARLIER_SCHEMA = join(import.meta.dirname, 'recorded', 'earlier-schema.sql')
/** The sweep runs each minute, and destroys in its first run after the destruction is due. */
const DESTRUCTION_SECONDS = 150

/** The administrator gets the role that the operator's routes need. */
async function becomeServiceAdmin(operator: Operator): Promise<void> {
  const administrator = await operator.administrator()
  await succeed(administrator, 'role', 'add', '--user', 'admin', '--project', 'admin', 'key-manager:service-admin')
}

/** A new master key is put before the old one, everything is rewrapped, and the old one is removed. */
async function rotate(operator: Operator, state: string): Promise<void> {
  const file = join(state, 'rotated-keys')
  const { MASTER_KEYS, ADMIN_PASSWORD } = FIRST_KEYS
  writeFileSync(file, `MASTER_KEYS=${MASTER_KEYS}\nADMIN_PASSWORD=${ADMIN_PASSWORD}\n`, { mode: 0o600 })
  await program('setup.ts', '--rotate', '--local', '--file', file)
  const both = parseEnv(readFileSync(file, 'utf8'))['MASTER_KEYS'] ?? ''
  await operator.stop()
  writeKeys(state, { ...FIRST_KEYS, MASTER_KEYS: both })
  await operator.start(state)
  await operator.readsAll()
  await operator.admin('POST', '/rotate')
  const { master_keys: keys } = await operator.admin('GET', '/rotate')
  const removable = (keys as { readonly id: string; readonly removable: boolean }[]).filter((key) => key.removable)
  assert.deepEqual(
    removable.map(({ id }) => id),
    ['first'],
  )
  await operator.stop()
  const [primary = '', ...others] = both.split(',')
  assert.deepEqual(others, [MASTER_KEYS])
  writeKeys(state, { ...FIRST_KEYS, MASTER_KEYS: primary })
  await operator.start(state)
}

/** The keys of the demo project are destroyed, with all that they seal. */
async function destroy(operator: Operator): Promise<void> {
  const project = text(await show(await operator.user(), 'project', 'show', 'demo'), 'id')
  await operator.admin('PUT', `/projects/${project}/destruction`, { confirm: project })
  const deadline = Date.now() + DESTRUCTION_SECONDS * 1_000
  for (;;) {
    const { status, stdout } = await run('openstack', ['secret', 'list', '-f', 'json'], {
      environment: (await operator.user()).environment,
    })
    if (status === 0 && stdout.trim() === '[]') return
    assert.ok(Date.now() < deadline, `the secrets of a destroyed project are still listed: ${stdout}`)
    await sleep(5_000)
  }
}

async function year(operator: Operator, folder: string): Promise<void> {
  const { step } = operator.report
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  await step('setup makes keys for a deployment', () =>
    program('setup.ts', '--local', '--file', join(folder, 'deployment-keys')),
  )
  await step('a dump of an earlier schema is loaded', () =>
    program('restore.ts', EARLIER_SCHEMA, '--persist-to', first),
  )
  await step('the service upgrades the earlier schema', async () => {
    writeKeys(first, FIRST_KEYS)
    await operator.start(first)
    await operator.readsAll()
  })
  await step('the operator reconciles what came with the dump', async () => {
    await becomeServiceAdmin(operator)
    assert.ok((await operator.reconcile()) > 0)
    assert.equal(await operator.reconcile(), 0)
  })
  await step('secrets are stored in the upgraded service', async () => {
    await operator.store('after the upgrade', 'stored by the present schema')
    await operator.readsAll()
  })
  await step('a staging service beside it has other keys and no secret of it', async () => {
    const staging = new Operator(folder, await freePort())
    await staging.start(join(folder, 'staging'))
    try {
      const listed = await succeed(await staging.user(), 'secret', 'list', '-f', 'json')
      assert.deepEqual(JSON.parse(listed), [])
    } finally {
      await staging.stop()
    }
  })
  await step('after SIGKILL everything that was acknowledged is there', async () => {
    await operator.store('before the kill', 'acknowledged')
    await operator.kill()
    await operator.start(first)
    await operator.readsAll()
  })
  await restoreOlderState(operator, { from: first, to: second, folder })
  await step('the master key is rotated and the old one removed', () => rotate(operator, second))
  await step('the stock client reads the same secrets under the new key', () => operator.readsAll())
  await step('the keys of the project are destroyed', () => destroy(operator))
}

/** Replays the year in `folder` and returns an outcome for each step. */
export async function runYear(folder: string): Promise<readonly Outcome[]> {
  mkdirSync(folder, { recursive: true })
  const operator = new Operator(folder, await freePort())
  try {
    await operator.report.scenario('year', () => year(operator, folder))
  } finally {
    await operator.stop()
  }
  return operator.report.outcomes
}
