/** Projects of any size, filled by the database itself: a million rows take seconds. */
import { database } from '../support/client.ts'

/** Rows that one statement makes. */
const ROWS_PER_STATEMENT = 50_000

const counting = 'WITH RECURSIVE n(i) AS (SELECT ?1 + 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)'
const ID = 'lower(hex(randomblob(16)))'
const NOW = "'2026-01-01T00:00:00.000000'"

/** Row `i` of `?1` to `?2`; `?3` begins the name of a project, of which each `?4` rows are in one. */
const secretRows = `INSERT INTO secrets (id, project_id, creator_id, name, secret_type, algorithm, bit_length, created,
    updated, content_type, store, key_version, sealed)
  ${counting} SELECT ${ID}, ?3 || CAST(i / ?4 AS INTEGER), 'user', 'filled ' || CAST(i AS INTEGER), 'symmetric', 'aes', 256,
    ${NOW}, ${NOW}, 'application/octet-stream', 'store', 1, randomblob(70) FROM n`
const orderRows = `INSERT INTO orders (id, project_id, creator_id, type, meta, status, secret_id, created, updated)
  ${counting} SELECT ${ID}, ?3 || CAST(i / ?4 AS INTEGER), 'user', 'key', '{"name":null,"algorithm":"aes","bit_length":256}',
    'ACTIVE', ${ID}, ${NOW}, ${NOW} FROM n`

/** Fills `projects` projects with as many secrets and orders each. Their ids are the prefix and a number from 0. */
export async function fill(prefix: string, projects: number, each: number): Promise<void> {
  for (const statement of [secretRows, orderRows]) {
    for (let from = 0; from < projects * each; from += ROWS_PER_STATEMENT) {
      const to = Math.min(from + ROWS_PER_STATEMENT, projects * each)
      await database.prepare(statement).bind(from, to, prefix, each).run()
    }
  }
}

/** The id of the secret in the middle of a filled project. */
export async function middleOf(projectId: string, count: number): Promise<string> {
  const select = database.prepare('SELECT id FROM secrets WHERE project_id = ? ORDER BY seq LIMIT 1 OFFSET ?')
  return (await select.bind(projectId, Math.floor(count / 4)).first<string>('id')) ?? ''
}
