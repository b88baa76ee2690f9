/** Rows with a unique name: how users, projects and roles are created and changed. */
import { and, eq, not, sql, type SQL } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import type { AuditEvent } from '../audit/events.ts'
import { CONFLICT, untilStored } from '../database/conflicts.ts'
import { build, change, selectValues, type Statement } from '../database/prepared.ts'
import type { Batch } from '../database/session.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import type { Scope } from '../scope.ts'
import type { identityProjects, identityRoles, identityUsers } from '../schema/identity.ts'
import { identityFault, type IdentityFault } from './faults.ts'
import { nameTaken } from './names.ts'

/** The tables whose rows have a unique name. */
type NamedTable = typeof identityUsers | typeof identityProjects | typeof identityRoles

/** The columns that these tables have in common. */
interface NamedRow {
  readonly seq: number
  readonly id: string
  readonly name: string
  readonly folded: string
  readonly mac: string
}

/** Inserts a row unless another row has its name: the number of inserted rows. */
export const insertUnlessTaken = <Table extends NamedTable>(
  table: Table,
  row: Table['$inferInsert'],
): Statement<number> => change(insertWhereBuilder(table, row, sql`true`).onConflictDoNothing())

/** A change of one row. */
export interface Update<Row extends NamedRow> {
  readonly table: NamedTable
  readonly event: AuditEvent
  /** The name that the row is to get; undefined: its name stays. */
  readonly newName?: string | undefined
  /** Reads the row. What it throws ends the update. */
  readonly read: () => Promise<Row>
  /** The row to be stored in place of the one that was read, with its MAC. What it throws ends the update. */
  readonly changed: (before: Row) => Promise<Row>
  /** The fault for a new name that another row has. */
  readonly taken?: () => IdentityFault
  /** What has to hold when the row is stored, and the fault if it does not. */
  readonly onlyIf?: { readonly condition: SQL<number>; readonly unmet: () => IdentityFault } | undefined
  /** Statements that follow in the batch. The first one is told by `justChanged` whether the row was stored. */
  readonly following?: Batch | undefined
}

/** Stores a row over the version that it was made from, unless another row has the new name. */
async function storeOver<Row extends NamedRow>(
  scope: Scope,
  { table, event, newName, onlyIf, following }: Update<Row>,
  before: Row,
  after: Row,
): Promise<'stored' | 'taken' | 'unmet' | 'conflict'> {
  const { seq: _, ...row }: NamedRow = after
  const taken = nameTaken(table, before.id, newName)
  const condition = onlyIf?.condition ?? sql<number>`true`
  const asRead = and(eq(table.id, before.id), eq(table.mac, before.mac), not(taken), condition)
  const { changed, found } = await commit(scope, event, change(build.update(table).set(row).where(asRead)), {
    ...following,
    found: selectValues({ taken: sql<number>`${taken}`, met: sql<number>`${condition}` }),
  })
  if (changed > 0) return 'stored'
  if (found[0]?.taken) return 'taken'
  return found[0]?.met ? 'conflict' : 'unmet'
}

/**
 * Changes a row and returns the new one. After a concurrent change of the row the update is made again from the new
 * version. Throws `taken()`, `unmet()`, and `changedConcurrently` when each of several attempts met a concurrent change.
 */
export function updateRow<Row extends NamedRow>(scope: Scope, update: Update<Row>): Promise<Row> {
  const conflict = () => identityFault('changedConcurrently')
  return untilStored(async () => {
    const before = await update.read()
    const after = await update.changed(before)
    const outcome = await storeOver(scope, update, before, after)
    if (outcome === 'taken') throw update.taken?.() ?? conflict()
    if (outcome === 'unmet') throw update.onlyIf?.unmet() ?? conflict()
    return outcome === 'stored' ? after : CONFLICT
  }, conflict)
}
