/**
 * What a migration may consist of. D1 ignores `PRAGMA foreign_keys=OFF`, so a table that is dropped and made again, as
 * drizzle-kit does it, takes the rows of every table that refers to it along, and its triggers. And an answer of D1 can
 * get lost: whoever does not know whether a statement ran must be able to run it again.
 */

/** The statements that may be run twice as they are. */
const repeatable = [
  /^create table if not exists /i,
  /^create (unique )?index if not exists /i,
  /^create trigger if not exists /i,
  /^drop (index|trigger) if exists /i,
  /^insert or ignore into /i,
  /^update /i,
] as const

/** SQLite has no IF NOT EXISTS for columns: run again, these fail with the words of {@link isRepetition}. */
const onceOnly = [/^alter table \S+ add (column )?/i, /^alter table \S+ drop (column )?/i] as const

/** Whether the error says that the statement has been run before. */
export const isRepetition = (error: unknown): boolean =>
  error instanceof Error && /duplicate column name|no such column/i.test(error.message)

/** The statements of a migration, without comments and outer white space. */
export function statementsOf(migration: string): string[] {
  return migration
    .split('--> statement-breakpoint')
    .map((part) =>
      part
        .replaceAll(/^--.*$/gm, '')
        .trim()
        .replace(/;$/, ''),
    )
    .filter((statement) => statement !== '')
}

/** Why a migration is refused, one line for each statement; none for one that may be applied. */
export function refusals(migration: string): string[] {
  return statementsOf(migration).flatMap((statement) => {
    const [start = ''] = statement.split('\n')
    if (/\bdrop\s+table\b/i.test(statement)) return [`loses the rows of the tables that refer to it: ${start}`]
    if (statement.includes('__new_')) return [`makes a table again, without its triggers: ${start}`]
    const known = [...repeatable, ...onceOnly].some((form) => form.test(statement))
    return known ? [] : [`cannot be run a second time, or is not known to be safe: ${start}`]
  })
}

/** A unique index without a condition, as drizzle-kit writes it. */
const uniqueIndex = /^CREATE UNIQUE INDEX `(\w+)` ON `(\w+)` \(([^)]+)\)$/

/** New tables after the new ones that they refer to: a dump makes and fills tables in the order of their creation. */
function parentsFirst(statements: readonly string[]): string[] {
  const made = statements.filter((one) => one.startsWith('CREATE TABLE `'))
  const targets = (one: string) => [...one.matchAll(/REFERENCES `(\w+)`/g)].map(([, name]) => name)
  const depth = (one: string): number => {
    const parents = made.filter(
      (other) => other !== one && targets(one).some((name) => other.startsWith(`CREATE TABLE \`${name}\``)),
    )
    return parents.length === 0 ? 0 : 1 + Math.max(...parents.map(depth))
  }
  const others = statements.filter((one) => !made.includes(one))
  return [...made.toSorted((one, other) => depth(one) - depth(other)), ...others]
}

/**
 * The statements of drizzle-kit in the form that {@link refusals} admits. Unique indices of new tables become constraints
 * inside of the tables: a dump makes indices after the rows, and foreign keys may lead only to what is unique before.
 */
export function admissible(generated: string): string[] {
  const statements = parentsFirst(statementsOf(generated))
  const isNew = (table: string) => statements.some((one) => one.startsWith(`CREATE TABLE \`${table}\` (`))
  const constraints = statements.flatMap((statement) => {
    const [, name = '', table = '', columns = ''] = uniqueIndex.exec(statement) ?? []
    return table && isNew(table) ? [{ statement, table, text: `CONSTRAINT \`${name}\` UNIQUE(${columns})` }] : []
  })
  const moved = new Set(constraints.map(({ statement }) => statement))
  return statements
    .filter((statement) => !moved.has(statement))
    .map((statement) => {
      const inside = constraints.filter(({ table }) => statement.startsWith(`CREATE TABLE \`${table}\` (`))
      const body = statement.replace(/\n\)$/, '')
      const whole =
        inside.length === 0 ? statement : `${[body, ...inside.map(({ text }) => `\t${text}`)].join(',\n')}\n)`
      return whole
        .replace(/^CREATE (TABLE|INDEX|UNIQUE INDEX) `/, 'CREATE $1 IF NOT EXISTS `')
        .replace(/^DROP (INDEX|TRIGGER) `/, 'DROP $1 IF EXISTS `')
    })
}
