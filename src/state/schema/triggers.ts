/**
 * The database's triggers, as data. drizzle does not support triggers: `npm run migration` writes changes of this list
 * into the next migration, and a test compares the list with a migrated database.
 *
 * Names are unquoted, because none needs quotes and SQLite stores the text of a definition as it is written.
 */

interface Trigger {
  readonly name: string
  /** The statement after `CREATE TRIGGER`, starting with the name. */
  readonly definition: string
}

const trigger = (name: string, rest: string): Trigger => ({ name, definition: `${name} ${rest}` })

/** Tables whose rows are counted per project; the column of `project_counts` has the table's name. */
const counted = ['secrets', 'orders', 'containers', 'secret_consumers', 'container_consumers'] as const

/** Triggers that update `project_counts` in the transaction that changes the rows. */
function counts(table: (typeof counted)[number]): Trigger[] {
  const increment = `INSERT INTO project_counts (project_id, ${table}) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET ${table} = ${table} + 1;`
  const decrement = `UPDATE project_counts SET ${table} = ${table} - 1 WHERE project_id = OLD.project_id;`
  return [
    trigger(`${table}_counted`, `AFTER INSERT ON ${table} BEGIN\n  ${increment}\nEND`),
    trigger(`${table}_uncounted`, `AFTER DELETE ON ${table} BEGIN\n  ${decrement}\nEND`),
    trigger(`${table}_recounted`, `AFTER UPDATE OF project_id ON ${table} BEGIN\n  ${decrement}\n  ${increment}\nEND`),
  ]
}

/** The error message of {@link seals}, which `database/refusals.ts` matches. */
export const SUPERSEDED = 'superseded project key'

interface Sealed {
  readonly table: string
  /** A column that is written whenever a value is. */
  readonly column: string
  /** SQL: the new row takes over a value that is already stored, under whichever key. */
  readonly moved?: string
}

/** Tables with values that the key of the row's project seals. */
const sealed: readonly Sealed[] = [
  { table: 'secrets', column: 'sealed' },
  { table: 'orders', column: 'sealed' },
  { table: 'certificate_authorities', column: 'issuing_sealed' },
  {
    table: 'secret_versions',
    column: 'sealed',
    moved: `SELECT 1 FROM secrets
  WHERE id = NEW.secret_id AND store = NEW.store AND key_version = NEW.key_version AND sealed = NEW.sealed`,
  },
]

/** Refuse a value that is not sealed under the newest key of its project and store. */
function seals({ table, column, moved }: Sealed): Trigger[] {
  const outdated = `WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)`
  const added = moved ? `${outdated} AND NOT EXISTS (${moved})` : outdated
  const refusal = `BEGIN SELECT RAISE(ABORT, '${SUPERSEDED}'); END`
  return [
    trigger(`${table}_inserted`, `BEFORE INSERT ON ${table}\n${added}\n${refusal}`),
    trigger(`${table}_resealed`, `BEFORE UPDATE OF ${column} ON ${table}\n${outdated}\n${refusal}`),
  ]
}

export const triggers: readonly Trigger[] = [...counted.flatMap(counts), ...sealed.flatMap(seals)]
