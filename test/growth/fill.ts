/**
 * Fills projects of any size with SQL alone, so that a million rows take seconds. The MACs of the rows are invalid and
 * their sealed values cannot be opened; {@link authenticate} adds valid MACs to the rows that will be read.
 */
import { asc, eq, getTableColumns } from 'drizzle-orm'
import { build, select } from '../../src/state/database/prepared.ts'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { orders, secrets } from '../../src/state/schema/resources.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { database } from '../support/client.ts'

/** Rows per statement. */
const ROWS_PER_STATEMENT = 50_000

/**
 * Row numbers `i` from `?1` to `?2`. `?3` is the prefix of the project ids, and `?4` the number of rows per project.
 */
const counting = 'WITH RECURSIVE n(i) AS (SELECT ?1 + 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)'
const PROJECT = '?3 || CAST(i / ?4 AS INTEGER)'
const ID = 'lower(hex(randomblob(16)))'
const NOW = "'2026-01-01T00:00:00.000000'"
const macOf = (table: string) => `'${table} ' || ${PROJECT} || printf(' %020d', i)`

const keyRows = `INSERT OR IGNORE INTO project_keys (project_id, store, version, master_key_id, wrapped, created)
  ${counting} SELECT ${PROJECT}, 'store', 1, 'test', randomblob(70), ${NOW} FROM n`
const secretRows = `INSERT INTO secrets (id, project_id, creator_id, name, secret_type, algorithm, bit_length, created,
    updated, content_type, store, key_version, sealed, mac)
  ${counting} SELECT ${ID}, ${PROJECT}, 'user', 'filled ' || CAST(i AS INTEGER), 'symmetric', 'aes', 256,
    ${NOW}, ${NOW}, 'application/octet-stream', 'store', 1, randomblob(70), ${macOf('secrets')} FROM n`
const orderRows = `INSERT INTO orders (id, project_id, creator_id, type, meta, status, secret_id, created, updated, mac)
  ${counting} SELECT ${ID}, ${PROJECT}, 'user', 'key', '{"name":null,"algorithm":"aes","bit_length":256}',
    'ACTIVE', ${ID}, ${NOW}, ${NOW}, ${macOf('orders')} FROM n`

/** Fills `projects` projects with `each` secrets and orders each. Their ids are the prefix and a number from 0. */
export async function fill(prefix: string, projects: number, each: number): Promise<void> {
  for (const statement of [keyRows, secretRows, orderRows]) {
    for (let from = 0; from < projects * each; from += ROWS_PER_STATEMENT) {
      const to = Math.min(from + ROWS_PER_STATEMENT, projects * each)
      await database.prepare(statement).bind(from, to, prefix, each).run()
    }
  }
}

/** Adds valid MACs to `count` secrets and `count` orders of a filled project: the oldest, after the first `offset`. */
export async function authenticate(projectId: string, offset: number, count: number): Promise<void> {
  const backend = await backendAt(formatTime(Date.now()))
  for (const name of ['secrets', 'orders'] as const) {
    // The cast is valid because only columns are used that both tables have.
    const table = { secrets, orders: orders as unknown as typeof secrets }[name]
    const rows = await backend.db.run(
      select(getTableColumns(table), (columns) =>
        build
          .select(columns)
          .from(table)
          .where(eq(table.projectId, projectId))
          .orderBy(asc(table.seq))
          .limit(count)
          .offset(offset),
      ),
    )
    const authentic = await Promise.all(rows.map((row) => withMac(backend, name as 'secrets', row)))
    const macs = JSON.stringify(authentic.map(({ id, mac }) => ({ id, mac })))
    const update = `UPDATE ${name} SET mac = value ->> 'mac' FROM json_each(?) WHERE ${name}.id = value ->> 'id'`
    await database.prepare(update).bind(macs).run()
  }
}

/** Returns the id of a secret inside a filled project: the one after the first {@link placeOfMiddle} secrets. */
export async function middleOf(projectId: string, count: number): Promise<string> {
  const select = database.prepare('SELECT id FROM secrets WHERE project_id = ? ORDER BY seq LIMIT 1 OFFSET ?')
  return (await select.bind(projectId, placeOfMiddle(count)).first<string>('id')) ?? ''
}

export const placeOfMiddle = (count: number) => Math.floor(count / 4)
