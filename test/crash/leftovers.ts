/** Counts rows that a crash must not leave behind, in the database of a stopped service. */
import { openDatabase } from '../../src/local/runtime.ts'
import { sealedTables } from '../../src/state/keys/sealed-values.ts'
import { countedTables, miscounted } from '../support/recount.ts'
import { STORED, type Acknowledged } from './acknowledged.ts'
import { idOf } from './client.ts'

/**
 * SQL: a list of ids and names that the traffic recorded. `?1` is a JSON object of them; see {@link countLeftovers}.
 */
const listed = (list: 'released' | 'deleted' | 'revoked') => `(SELECT value FROM json_each(?1, '$.${list}'))`
const containersOfOrders = '(SELECT container_id FROM orders WHERE container_id IS NOT NULL)'
const secretsOfOrders = '(SELECT secret_id FROM orders WHERE secret_id IS NOT NULL)'
const targetsOf = (action: 'create' | 'delete', kind: string) => `(SELECT target_id FROM audit_events
  WHERE action = '${action}' AND target_type = 'data/security/${kind}' AND outcome = 'success')`

const leftovers = {
  'generated secrets that are in no container': `SELECT count(*) AS n FROM secrets WHERE secret_type <> 'symmetric'
    AND name IS NOT '${STORED}' AND id NOT IN (SELECT secret_id FROM container_secrets) AND id NOT IN ${listed('released')}`,
  'containers that no order created': `SELECT count(*) AS n FROM containers WHERE id NOT IN ${containersOfOrders}
    AND id NOT IN ${listed('released')} AND coalesce(name, '') NOT IN ${listed('released')}`,
  'containers that two runs created for one order': `SELECT count(*) AS n FROM
    (SELECT name FROM containers WHERE name IS NOT NULL GROUP BY name HAVING count(*) > 1)`,
  'certificates whose container is incomplete': `SELECT count(*) AS n FROM containers WHERE type = 'certificate'
    AND ((SELECT count(*) FROM container_secrets WHERE container_id = containers.id AND name IN ('certificate', 'intermediates')) <> 2
      OR (SELECT count(*) FROM issued_certificates WHERE container_id = containers.id) <> 1)`,
  'issued certificates that are in no container': `SELECT count(*) AS n FROM issued_certificates
    WHERE container_id NOT IN (SELECT id FROM containers) AND container_id NOT IN ${listed('released')}`,
  'revoked certificates whose container still exists': `SELECT count(*) AS n FROM issued_certificates
    WHERE revoked IS NOT NULL AND container_id IN (SELECT id FROM containers)`,
  'certificates whose revocation was acknowledged and is lost': `SELECT count(*) AS n FROM issued_certificates
    WHERE revoked IS NULL AND container_id IN ${listed('revoked')}`,
  'ordered keys without their order': `SELECT count(*) AS n FROM secrets WHERE secret_type = 'symmetric'
    AND id NOT IN ${secretsOfOrders} AND id NOT IN ${listed('released')} AND name NOT IN ${listed('released')}`,
  'ordered keys that two runs created for one order': `SELECT count(*) AS n FROM
    (SELECT name FROM secrets WHERE secret_type = 'symmetric' GROUP BY name HAVING count(*) > 1)`,
  'orders whose result is missing': `SELECT count(*) AS n FROM orders
    WHERE (container_id NOT IN (SELECT id FROM containers) AND container_id NOT IN ${listed('released')})
      OR secret_id NOT IN (SELECT id FROM secrets)
      OR (status = 'ACTIVE' AND container_id IS NULL AND secret_id IS NULL)`,
  'finished orders that still have a passphrase or a due time': `SELECT count(*) AS n FROM orders
    WHERE status <> 'PENDING' AND (sealed IS NOT NULL OR due IS NOT NULL)`,
  'pending orders that will not be run again': `SELECT count(*) AS n FROM orders
    WHERE status = 'PENDING' AND due IS NULL`,
  'versions whose number is not below that of their secret': `SELECT count(*) AS n FROM secret_versions
    JOIN secrets ON secrets.id = secret_id WHERE secret_versions.version >= coalesce(secrets.version, 1)`,
  'secrets that lack a version': `SELECT count(*) AS n FROM secrets WHERE coalesce(version, 1) - 1 <>
    (SELECT count(*) FROM secret_versions WHERE secret_id = secrets.id)`,
  'versions without a payload that were not destroyed': `SELECT count(*) AS n FROM secret_versions
    WHERE (sealed IS NULL) <> (destroyed IS NOT NULL)`,
  'versions of no secret': `SELECT count(*) AS n FROM secret_versions WHERE secret_id NOT IN (SELECT id FROM secrets)`,
  'deletions that were acknowledged and are undone': `SELECT count(*) AS n FROM
    (SELECT id FROM secrets UNION ALL SELECT id FROM containers UNION ALL SELECT id FROM orders) WHERE id IN ${listed('deleted')}`,
} as const

/** Builds a query for each item, by a description of what it counts. */
const forEach = <Item>(items: readonly Item[], query: (item: Item) => readonly [what: string, query: string]) =>
  Object.fromEntries(items.map(query))

/** Violations of atomicity: a row and the event of its change must be stored together or not at all. */
const halfCommitted = {
  ...forEach(['secret', 'container', 'order'], (kind) => [
    `${kind}s whose MAC is not that of their last event`,
    `SELECT count(*) AS n FROM ${kind}s WHERE mac IS NOT (SELECT target_mac FROM audit_events
      WHERE target_id = ${kind}s.id AND target_mac IS NOT NULL AND outcome = 'success' ORDER BY seq DESC LIMIT 1)`,
  ]),
  ...forEach(['secret', 'container', 'order'], (kind) => [
    `${kind}s without the event of their creation`,
    `SELECT count(*) AS n FROM ${kind}s WHERE id NOT IN ${targetsOf('create', kind)}`,
  ]),
  ...forEach(['secret', 'container', 'order'], (kind) => [
    `${kind}s whose existence contradicts their events`,
    `SELECT count(*) AS n FROM audit_events WHERE action = 'create' AND target_type = 'data/security/${kind}'
      AND (target_id IN (SELECT id FROM ${kind}s)) = (target_id IN ${targetsOf('delete', kind)})`,
  ]),
  'project keys without the event of their creation': `SELECT count(*) AS n FROM project_keys WHERE version > 1
    AND NOT EXISTS (SELECT 1 FROM audit_events WHERE action = 'create' AND target_type = 'data/security/key'
      AND project_id = project_keys.project_id AND target_id = store || '/' || version)`,
}

/** SQL: there is a key of the project that `sealed_row` is sealed under, and it is such a one. */
const isSealed = (condition = 'true') => `EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = sealed_row.project_id AND store = sealed_row.store AND version = sealed_row.key_version AND ${condition})`

const ofNoKey = forEach(sealedTables, ({ name }) => [
  `${name} with values that are sealed under no key`,
  `SELECT count(*) AS n FROM ${name} sealed_row WHERE key_version IS NOT NULL AND NOT ${isSealed()}`,
])

const miscounts = forEach(countedTables, (table) => [`projects whose ${table} are miscounted`, miscounted(table)])

/** Rows that must not exist after a complete rotation. */
const ofOlderKeys = {
  'superseded project keys': 'SELECT count(*) AS n FROM project_keys WHERE superseded IS NOT NULL',
  ...forEach(sealedTables, ({ name }) => [
    `${name} with values that are not sealed under the newest key`,
    `SELECT count(*) AS n FROM ${name} sealed_row
      WHERE key_version IS NOT NULL AND NOT ${isSealed('superseded IS NULL')}`,
  ]),
  'master keys in use besides one': 'SELECT count(DISTINCT master_key_id) - 1 AS n FROM project_keys',
}

/**
 * Throws if the database in the state folder has leftovers of a crash; with `rotated`, also if anything depends on an
 * older key.
 */
export async function countLeftovers(state: string, known: Acknowledged, rotated: boolean): Promise<void> {
  const { released, changed } = known
  const idsOf = (refs: ReadonlySet<string>) => [...refs].map(idOf)
  const given = { released: [...released], deleted: idsOf(changed.delete), revoked: idsOf(changed.revoke) }
  const queries = { ...leftovers, ...halfCommitted, ...ofNoKey, ...miscounts, ...(rotated && ofOlderKeys) }
  const database = await openDatabase(state)
  try {
    for (const [what, query] of Object.entries(queries)) {
      const row = await database.first<{ n: number }>(query, ...(query.includes('?1') ? [JSON.stringify(given)] : []))
      if (row?.n !== 0) throw new Error(`${row?.n} ${what}`)
    }
  } finally {
    await database.close()
  }
}
