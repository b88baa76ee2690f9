/**
 * Dumps of the database, as `wrangler d1 export` writes them. Their statements are in the order of the schema, which a
 * database cannot always take: rows come before the unique indices that their foreign keys refer to, and before the rows
 * that they refer to. Here they are put into an order that works, whatever transactions they are sent in: tables, unique
 * indices, rows with those that others refer to first, other indices, triggers.
 */
import { createReadStream } from 'node:fs'
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'

/** Characters of rows that are kept in memory before they are written. */
const BUFFERED_CHARACTERS = 1_000_000
/** Characters of a statement that an error shows; its rest may be somebody's secret. */
const SHOWN_CHARACTERS = 30

/** The file is not a dump of the database. */
export class DumpError extends Error {
  override readonly name = 'DumpError'
}

const isTrigger = (statement: string) => /^\s*create\s+trigger/i.test(statement)
const isWhole = (statement: string) => !isTrigger(statement) || /;\s*end\s*$/i.test(statement)

/** The next place at or after `from` where a quoted text, a comment or a statement begins or ends; -1: none. */
function nextMark(text: string, from: number): number {
  const found = /['"`;]|--|\/\*/g
  found.lastIndex = from
  return found.exec(text)?.index ?? -1
}

const ends: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '--': '\n', '/*': '*/' }

/**
 * Cuts SQL into its statements, without the semicolons; it comes in pieces of any length. A quote that is doubled inside
 * a quoted text ends one and begins another, which is the same.
 */
export async function* statementsIn(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let [text, at, until] = ['', 0, '']
  for await (const piece of pieces) {
    text += piece
    for (;;) {
      if (until) {
        const end = text.indexOf(until, at)
        // The last character may be the first half of the end.
        if (end < 0) {
          at = Math.max(at, text.length - until.length + 1)
          break
        }
        ;[at, until] = [end + until.length, '']
        continue
      }
      const mark = nextMark(text, at)
      if (mark < 0 || mark === text.length - 1) {
        if (text[mark] !== ';') {
          // A hyphen or slash at the end may be half of a mark.
          at = mark < 0 ? Math.max(at, text.length - 1) : mark
          break
        }
      }
      if (text[mark] === ';') {
        const statement = text.slice(0, mark)
        if (isWhole(statement)) {
          if (statement.trim()) yield statement.trim()
          ;[text, at] = [text.slice(mark + 1), 0]
        } else at = mark + 1
        continue
      }
      const opened = text.startsWith('--', mark) ? '--' : text.startsWith('/*', mark) ? '/*' : (text[mark] ?? '')
      ;[at, until] = [mark + opened.length, ends[opened] ?? '']
    }
  }
  if (text.replaceAll(/--[^\n]*|\/\*[^]*?\*\//g, '').trim()) throw new DumpError('the dump breaks off')
}

/** Where a statement of a dump belongs. */
type Part = 'table' | 'unique' | 'rows' | 'sequence' | 'index' | 'trigger' | 'nothing'

const NAME = /[`"[]?([A-Za-z_]\w*)[`"\]]?/.source
const forms: readonly (readonly [RegExp, Part])[] = [
  [/^(pragma|begin|commit)\b/i, 'nothing'],
  [new RegExp(`^create\\s+table\\s+(?:if\\s+not\\s+exists\\s+)?${NAME}`, 'i'), 'table'],
  [/^create\s+unique\s+index\b/i, 'unique'],
  [/^create\s+index\b/i, 'index'],
  [/^create\s+trigger\b/i, 'trigger'],
  [/^(?:insert\s+into|delete\s+from)\s+["`[]?sqlite_sequence\b/i, 'sequence'],
  [new RegExp(`^insert\\s+into\\s+${NAME}`, 'i'), 'rows'],
]

/** The platform's own tables, which every database has already. */
const isInternal = (name: string) => /^(sqlite_|_cf_)/.test(name)

function partOf(statement: string): { readonly part: Part; readonly name: string } {
  const bare = statement.replace(/^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)+/, '')
  for (const [form, part] of forms) {
    const [found, name = ''] = form.exec(bare) ?? []
    if (found !== undefined) return { part: isInternal(name) ? 'nothing' : part, name }
  }
  throw new DumpError(`not a statement of a dump: ${bare.slice(0, SHOWN_CHARACTERS)} …`)
}

/** A dump whose statements were put into an order that works. */
export interface SortedDump {
  /** The number of rows of each table. */
  readonly rows: Readonly<Record<string, number>>
  /** All statements, in that order. */
  readonly statements: () => AsyncGenerator<string>
}

/** Sorts tables after those that they refer to. */
function inOrder(tables: ReadonlyMap<string, string>): string[] {
  const depths = new Map<string, number>()
  const depthOf = (name: string): number => {
    const known = depths.get(name)
    if (known !== undefined) return known
    depths.set(name, 0)
    const references = [...(tables.get(name) ?? '').matchAll(new RegExp(`references\\s+${NAME}`, 'gi'))]
    const depth = Math.max(0, ...references.map(([, target = '']) => (target === name ? 0 : 1 + depthOf(target))))
    depths.set(name, depth)
    return depth
  }
  return [...tables.keys()].toSorted((one, other) => depthOf(one) - depthOf(other))
}

async function* piecesOf(file: string): AsyncGenerator<string> {
  for await (const piece of createReadStream(file, { encoding: 'utf8' })) yield piece as string
}

/**
 * Reads a dump of any size; `folder` takes its rows meanwhile. Throws {@link DumpError} for a file that is no dump.
 */
export async function sortDump(file: string, folder: string): Promise<SortedDump> {
  const kept: Record<Exclude<Part, 'rows' | 'nothing' | 'table'>, string[]> = {
    unique: [],
    sequence: [],
    index: [],
    trigger: [],
  }
  const tables = new Map<string, string>()
  const rows: Record<string, number> = {}
  const waiting = new Map<string, string>()
  const fileOf = (name: string) => join(folder, `rows-${name}.sql`)
  const flush = (name: string) => {
    appendFileSync(fileOf(name), waiting.get(name) ?? '', { mode: 0o600 })
    waiting.delete(name)
  }
  for await (const statement of statementsIn(piecesOf(file))) {
    const { part, name } = partOf(statement)
    if (part === 'nothing') continue
    if (part === 'table') tables.set(name, statement)
    else if (part === 'rows') {
      rows[name] = (rows[name] ?? 0) + 1
      const text = `${waiting.get(name) ?? ''}${statement};\n`
      waiting.set(name, text)
      if (text.length > BUFFERED_CHARACTERS) flush(name)
    } else kept[part].push(statement)
  }
  for (const name of waiting.keys()) flush(name)
  if (tables.size === 0) throw new DumpError('the dump has no tables')
  const names = inOrder(tables)
  async function* statements() {
    yield* tables.values()
    yield* kept.unique
    for (const name of names) if (existsSync(fileOf(name))) yield* statementsIn(piecesOf(fileOf(name)))
    yield* kept.sequence
    yield* kept.index
    yield* kept.trigger
  }
  return { rows, statements }
}
