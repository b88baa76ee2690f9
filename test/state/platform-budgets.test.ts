/**
 * Budgets of the sweep: what each of its parts sends when there is more to do than one sweep takes. The budgets do not
 * depend on the size of the deployment, and all of them together fit into one invocation of the paid plan, with room.
 */
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { readConfig } from '../../src/config.ts'
import { aclRow } from '../../src/state/acl-columns.ts'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { backendAt } from '../support/backend.ts'
import { seal } from '../../src/crypto/envelope.ts'
import { newWrappedKey, readKeyring, unwrapKey } from '../../src/crypto/keyring.ts'
import { deleteOldEvents } from '../../src/state/audit/retention.ts'
import type { Backend } from '../../src/state/backend.ts'
import { connect } from '../../src/state/connect.ts'
import { resealValues, supersedeKeys } from '../../src/state/keys/project-key-versions.ts'
import { rotateMasterKeys } from '../../src/state/keys/rotation.ts'
import { payloadPlace } from '../../src/state/keys/sealed-values.ts'
import { destroyDue } from '../../src/state/projects/destructions.ts'
import { byService } from '../../src/state/scope.ts'
import { deleteExpired } from '../../src/state/secrets/expiry.ts'
import { createSecret, findSecret } from '../../src/state/secrets/secrets.ts'
import { rotateDueSecrets, setVersioning } from '../../src/state/secrets/versioning.ts'
import { wakeAll } from '../../src/state/wake.ts'
import { database } from '../support/client.ts'
import { countingDatabase } from '../support/counting.ts'
import { MOST_OF_LIMIT, paid, statementLimits } from '../support/platform-limits.ts'

const bindings = env as unknown as Environment & { readonly MASTER_KEYS: string }
const NOW = '2027-06-01T00:00:00.000000'
const LONG_AGO = '2020-01-01T00:00:00.000000'
const PROJECT = 'budgets'

/** The master keys of a rotation: the first one is the primary, and the keys of projects are under the second. */
const rotated = `next:${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))},${bindings.MASTER_KEYS}`

const run = (query: string, ...values: unknown[]) =>
  database
    .prepare(query)
    .bind(...values)
    .run()
/** SQL: the numbers from 1 to `most`. */
const numbers = (most: number) =>
  `(with recursive n(value) as (select 1 union all select value + 1 from n where value < ${most}) select value from n)`
const insertSecrets = (most: number) =>
  run(
    `insert into secrets (id, project_id, secret_type, created, updated, store, mac)
     select 'budget-' || value, ?, 'opaque', ?, ?, 'store', 'x' from ${numbers(most)}`,
    PROJECT,
    LONG_AGO,
    LONG_AGO,
  )

/** The columns of a secret that its MAC covers, without values. */
const none = {
  creatorId: null,
  name: null,
  algorithm: null,
  mode: null,
  bitLength: null,
  contentType: null,
  sealed: null,
  ...aclRow(null),
}

/** Stores secrets that have expired, and are authentic. */
async function insertExpired(most: number): Promise<void> {
  const backend = await backendAt(NOW)
  const common = {
    projectId: PROJECT,
    secretType: 'opaque',
    created: LONG_AGO,
    updated: LONG_AGO,
    expiration: LONG_AGO,
  }
  const row = async (_: unknown, at: number) => {
    const { id, mac } = await withMac(backend, 'secrets', { ...none, ...common, id: `expired-${at}` })
    return [id, mac]
  }
  // The isolate keeps the key of the MACs.
  await row(null, 0)
  await run(
    `insert into secrets (id, project_id, secret_type, created, updated, store, expiration, mac)
     select value ->> 0, ?, 'opaque', ?, ?, 'store', ?, value ->> 1 from json_each(?)`,
    PROJECT,
    LONG_AGO,
    LONG_AGO,
    LONG_AGO,
    JSON.stringify(await Promise.all(Array.from({ length: most }, row))),
  )
}

/** Stores keys of as many projects. */
async function insertKeys(most: number): Promise<void> {
  const keyring = await readKeyring(bindings.MASTER_KEYS)
  const ids = Array.from({ length: most }, (_, at) => `${PROJECT}-${at}`)
  const wrap = async (project: string) => [
    project,
    (await newWrappedKey(keyring, { project, store: 'store', version: 1 })).toHex(),
  ]
  await run(
    `insert into project_keys (project_id, store, version, master_key_id, wrapped, created)
     select value ->> 0, 'store', 1, ?, unhex(value ->> 1), ? from json_each(?)`,
    bindings.MASTER_KEYS.split(':')[0],
    LONG_AGO,
    JSON.stringify(await Promise.all(ids.map(wrap))),
  )
}

const insertEvents = (most: number, project: string, number: string) =>
  run(
    `insert into audit_events (id, project_id, time, action, outcome, target_type, target_id, operation, number)
     select 'event-' || value, ${project}, ?, 'create', 'success', 'data/security/secret', 'x', 'x', ${number}
     from ${numbers(most)}`,
    LONG_AGO,
  )

/** Stores keys that the service has made, and that are due to be replaced. */
async function insertDue(most: number): Promise<void> {
  const backend = await backendAt(LONG_AGO)
  const owner = { userId: 'user', projectId: `${PROJECT}-rotated` }
  const key = { name: null, secretType: 'symmetric', algorithm: 'aes', mode: 'gcm', bitLength: 256 } as const
  for (let at = 0; at < most; at += 1) {
    const payload = crypto.getRandomValues(new Uint8Array(32))
    const id = await createSecret(backend, owner, {
      ...key,
      expiration: null,
      contentType: 'application/octet-stream',
      payload,
      generated: true,
    })
    const asked = { put: undefined, keep: undefined, rotateDays: 1, despiteConsumers: undefined }
    await setVersioning(backend, await findSecret(backend, id), asked)
    // Somebody registers afterwards. A key that is refused and postponed costs more than one that is replaced.
    await run(
      `insert into secret_consumers (id, project_id, secret_id, service, resource_type, resource_id, created, updated)
       values (?, ?, ?, 'compute', 'instance', 'x', ?, ?)`,
      crypto.randomUUID(),
      owner.projectId,
      id,
      LONG_AGO,
      LONG_AGO,
    )
  }
}

/** Values under a superseded key. */
async function insertSealed(most: number): Promise<void> {
  const keyring = await readKeyring(bindings.MASTER_KEYS)
  const place = { project: PROJECT, store: 'store', version: 1 }
  const insertKey = async (version: number) => {
    const wrapped = await newWrappedKey(keyring, { ...place, version })
    await run(
      `insert into project_keys (project_id, store, version, master_key_id, wrapped, created)
       values (?, 'store', ?, ?, unhex(?), ?)`,
      PROJECT,
      version,
      bindings.MASTER_KEYS.split(':')[0],
      wrapped.toHex(),
      LONG_AGO,
    )
    return unwrapKey(keyring, { ...place, version }, wrapped)
  }
  const key = await insertKey(1)
  const sealed = async (_: unknown, at: number) => {
    const id = `sealed-${at}`
    return [id, (await seal(key, payloadPlace(PROJECT, id, 1), new Uint8Array(32))).toHex()]
  }
  await run(
    `insert into secrets (id, project_id, secret_type, created, updated, store, key_version, mac, sealed)
     select value ->> 0, ?, 'opaque', ?, ?, 'store', 1, 'x', unhex(value ->> 1) from json_each(?)`,
    PROJECT,
    LONG_AGO,
    LONG_AGO,
    JSON.stringify(await Promise.all(Array.from({ length: most }, sealed))),
  )
  await run('update project_keys set superseded = ? where project_id = ?', LONG_AGO, PROJECT)
  await insertKey(2)
}

let calls = 0
const objects = {
  idFromName: (name: string) => bindings.PROJECT.idFromName(name),
  getByName: () => ({
    sealBy: () => {
      calls += 1
      return Promise.resolve()
    },
  }),
} as unknown as Environment['PROJECT']

interface Part {
  readonly name: string
  /** Makes more work than one sweep does. */
  readonly fill: () => Promise<unknown>
  readonly work: (backend: Backend) => Promise<unknown>
  /** Statements, and calls of objects, of one sweep. */
  readonly statements: number
  /** Round trips: a batch of statements is one. */
  readonly trips: number
  readonly calls?: number
}

const parts: readonly Part[] = [
  {
    name: 'destroy',
    fill: async () => {
      await insertSecrets(11_000)
      await run('insert into project_destructions (project_id, due) values (?, ?)', PROJECT, LONG_AGO)
    },
    work: destroyDue,
    statements: 281,
    trips: 41,
  },
  { name: 'expire', fill: () => insertExpired(21_000), work: deleteExpired, statements: 120, trips: 80 },
  { name: 'rewrap', fill: () => insertKeys(1_100), work: rotateMasterKeys, statements: 30, trips: 20 },
  {
    name: 'supersede',
    fill: () => insertKeys(1_100),
    work: (backend) => supersedeKeys(backend, { createdBefore: NOW }),
    statements: 40,
    trips: 20,
  },
  { name: 'reseal', fill: () => insertSealed(3_200), work: resealValues, statements: 121, trips: 121 },
  { name: 'rotate', fill: () => insertDue(12), work: rotateDueSecrets, statements: 93, trips: 22 },
  {
    name: 'retain',
    fill: () => insertEvents(11_000, `'${PROJECT}'`, 'value'),
    work: (backend) => deleteOldEvents(backend, 90),
    statements: 40,
    trips: 40,
  },
  {
    name: 'wake',
    fill: () => insertEvents(300, `'${PROJECT}-' || value`, 'null'),
    work: wakeAll,
    statements: 1,
    trips: 1,
    calls: 150,
  },
]

afterEach(async () => {
  vi.restoreAllMocks()
  for (const table of ['secrets', 'audit_events', 'project_keys', 'project_destructions'])
    await run(`delete from ${table} where project_id like '${PROJECT}%'`)
})

const bytesOf = (value: unknown): number => (typeof value === 'string' ? new TextEncoder().encode(value).length : 8)

describe('the sweep', { timeout: 120_000 }, () => {
  it.each(parts)(
    'the part $name of a sweep sends no more than its budget, however much there is to do',
    async (part) => {
      vi.spyOn(console, 'error').mockImplementation(() => undefined)
      await part.fill()
      const counted = countingDatabase()
      const config = await readConfig({ ...bindings, MASTER_KEYS: rotated })
      const connected = connect({ DB: counted.binding, PROJECT: objects }, config, NOW, byService('Sweep'))
      calls = 0
      await connected.db.requireAnswers()
      const [first, tripsBefore] = [counted.statements.length, counted.trips()]
      await part.work({ ...connected, recorded: () => undefined })
      const sent = [counted.statements.length - first, counted.trips() - tripsBefore, calls]
      expect(sent).toEqual([part.statements, part.trips, part.calls ?? 0])
      for (const { text, values } of counted.statements) {
        expect(values.length).toBeLessThanOrEqual(statementLimits.parameters)
        expect(bytesOf(text)).toBeLessThanOrEqual(statementLimits.sqlBytes * MOST_OF_LIMIT)
        expect(Math.max(0, ...values.map(bytesOf))).toBeLessThanOrEqual(statementLimits.parameterBytes * MOST_OF_LIMIT)
      }
    },
  )

  it('all parts of a sweep together fit into one invocation, with room for repetitions', () => {
    const statements = parts.reduce((sum, part) => sum + part.statements, 0)
    const subrequests = parts.reduce((sum, part) => sum + part.trips + (part.calls ?? 0), 0)
    expect(statements).toBeLessThanOrEqual(paid.queriesPerInvocation * MOST_OF_LIMIT)
    expect(subrequests).toBeLessThanOrEqual(paid.subrequestsPerInvocation * MOST_OF_LIMIT)
  })
})
