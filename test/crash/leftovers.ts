/** What no crash may leave behind, counted in the database of a service that is stopped. */
import { openDatabase } from '../../src/local/runtime.ts'
import { STORED, type Acknowledged } from './traffic.ts'

/** `?1` is what the traffic knows, as one JSON object of lists; see {@link countLeftovers}. */
const known = (list: 'released' | 'deleted' | 'revoked') => `(SELECT value FROM json_each(?1, '$.${list}'))`
const containersOfOrders = '(SELECT container_id FROM orders WHERE container_id IS NOT NULL)'
const secretsOfOrders = '(SELECT secret_id FROM orders WHERE secret_id IS NOT NULL)'

const leftovers = {
  'made secrets that are in no container': `SELECT count(*) AS n FROM secrets WHERE secret_type <> 'symmetric'
    AND name IS NOT '${STORED}' AND id NOT IN (SELECT secret_id FROM container_secrets) AND id NOT IN ${known('released')}`,
  'containers that no order made': `SELECT count(*) AS n FROM containers WHERE id NOT IN ${containersOfOrders}
    AND id NOT IN ${known('released')} AND coalesce(name, '') NOT IN ${known('released')}`,
  'containers that two runs made for one order': `SELECT count(*) AS n FROM
    (SELECT name FROM containers WHERE name IS NOT NULL GROUP BY name HAVING count(*) > 1)`,
  'certificates whose container is not whole': `SELECT count(*) AS n FROM containers WHERE type = 'certificate'
    AND ((SELECT count(*) FROM container_secrets WHERE container_id = containers.id AND name IN ('certificate', 'intermediates')) <> 2
      OR (SELECT count(*) FROM issued_certificates WHERE container_id = containers.id) <> 1)`,
  'issued certificates that are in no container': `SELECT count(*) AS n FROM issued_certificates
    WHERE container_id NOT IN (SELECT id FROM containers) AND container_id NOT IN ${known('released')}`,
  'revoked certificates whose container is still there': `SELECT count(*) AS n FROM issued_certificates
    WHERE revoked IS NOT NULL AND container_id IN (SELECT id FROM containers)`,
  'certificates whose revocation was acknowledged and is lost': `SELECT count(*) AS n FROM issued_certificates
    WHERE revoked IS NULL AND container_id IN ${known('revoked')}`,
  'ordered keys without their order': `SELECT count(*) AS n FROM secrets WHERE secret_type = 'symmetric'
    AND id NOT IN ${secretsOfOrders} AND id NOT IN ${known('released')} AND name NOT IN ${known('released')}`,
  'ordered keys that two runs made for one order': `SELECT count(*) AS n FROM
    (SELECT name FROM secrets WHERE secret_type = 'symmetric' GROUP BY name HAVING count(*) > 1)`,
  'orders whose result is missing': `SELECT count(*) AS n FROM orders
    WHERE (container_id NOT IN (SELECT id FROM containers) AND container_id NOT IN ${known('released')})
      OR secret_id NOT IN (SELECT id FROM secrets)
      OR (status = 'ACTIVE' AND container_id IS NULL AND secret_id IS NULL)`,
  'orders that are over and still hold a passphrase': `SELECT count(*) AS n FROM orders
    WHERE status <> 'PENDING' AND (sealed IS NOT NULL OR due IS NOT NULL)`,
  'orders that are pending and will not be run again': `SELECT count(*) AS n FROM orders
    WHERE status = 'PENDING' AND due IS NULL`,
  'deletions that were acknowledged and are undone': `SELECT count(*) AS n FROM
    (SELECT id FROM secrets UNION ALL SELECT id FROM containers UNION ALL SELECT id FROM orders) WHERE id IN ${known('deleted')}`,
} as const

/** Throws when there is anything in the state folder that no owner can account for. */
export async function countLeftovers(state: string, { released, deleted, revoked }: Acknowledged): Promise<void> {
  const given = JSON.stringify({ released: [...released], deleted: [...deleted], revoked: [...revoked] })
  const database = await openDatabase(state)
  for (const [what, query] of Object.entries(leftovers)) {
    const row = await database.first<{ n: number }>(query, ...(query.includes('?1') ? [given] : []))
    if (row?.n !== 0) throw new Error(`${row?.n} ${what}`)
  }
  await database.close()
}
