/**
 * One deployment, one database. A Worker serves a database only if
 *
 * 1. the newest migration that it carries is applied. If not, the object of the deployment applies what is missing
 *    (`object/migrate.ts`), and until then requests are refused with `schemaBehind`;
 * 2. the database requires no migration that the Worker does not carry (`schemaAhead`). Migrations expand first, so an
 *    older Worker serves a newer schema; one that removes what older Workers need names itself in `requires`;
 * 3. its master keys open the key that authenticates rows, and the row of the deployment is authentic (`keysForeign`,
 *    `masterKeyMissing`);
 * 4. its Durable Objects are those that the row names (`objectsForeign`). The id of an object is a function of its name
 *    and its namespace, so this needs no call.
 *
 * A row that nobody has claimed becomes that of the first Worker that asks. What an isolate has learned is a value, and
 * is asked once: the question travels with the first read, see `database/session.ts`.
 */
import { waitUntil } from 'cloudflare:workers'
import { and, eq, isNull, sql } from 'drizzle-orm'
import { cacheOf } from '../../cache.ts'
import { SealError } from '../../crypto/envelope.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import { Fault, fault } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import { build, change, preparedSelect } from '../database/prepared.ts'
import type { Admission } from '../database/questions.ts'
import type { Session } from '../database/session.ts'
import { RowRefused, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { isRowAuthenticationKey, takeRowAuthenticationKey } from '../keys/project-keys.ts'
import type { ProjectObjects } from '../project-calls.ts'
import { deployments } from '../schema/deployment.ts'
import { migrations } from '../schema/migrations.ts'
import { projectKeys } from '../schema/resources.ts'
import { byService, type KeyedScope } from '../scope.ts'

/** The ids of the deployments that this isolate was admitted to, by keyring: each configuration has its own. */
const admitted = new WeakMap<Keyring, string>()

/** Refusals are logged once in this time, for each isolate and reason. */
const SECONDS_BETWEEN_LOGS = 60
const logged = cacheOf<true>({ entries: 10, seconds: SECONDS_BETWEEN_LOGS })

const NEWEST = migrations.at(-1)?.name ?? ''

const question = preparedSelect(
  {
    id: deployments.id,
    objects: deployments.objects,
    requires: deployments.requires,
    mac: deployments.mac,
    isCurrent: sql<number>`exists (select 1 from d1_migrations where name = ${NEWEST})`,
    keyVersion: projectKeys.version,
    wrapped: projectKeys.wrapped,
  },
  // One row, whatever there is.
  (columns) =>
    build
      .select(columns)
      .from(sql`(select 1) left join ${deployments} on true left join ${projectKeys} on ${isRowAuthenticationKey}`),
)({})

type Columns = ReturnType<typeof question.read>[number]
/** What the database answers. Without a deployment or a key their columns are null. */
type Answer = { readonly [Name in keyof Columns]: Columns[Name] | null }

/** A scope whose session asks nothing, with the objects of the Worker. */
interface Parts extends KeyedScope {
  readonly db: Session
  readonly projects: ProjectObjects
}

/** The id of the deployment that this isolate was admitted to; throws `schemaBehind` if there is none. */
export function admittedDeployment({ keyring }: Pick<KeyedScope, 'keyring'>): string {
  const id = admitted.get(keyring)
  if (id === undefined) throw fault('schemaBehind')
  return id
}

/** Names the namespace of the Worker's Durable Objects. */
const namespaceOf = (projects: ProjectObjects): string => projects.idFromName(DEPLOYMENT).toString()

/** The failure as an error to throw; logs it. */
function refused({ keyring }: Parts, failure: Fault): Fault {
  const seen = logged(keyring)
  if (!seen.has(failure.failure)) {
    seen.set(failure.failure, true)
    logProblem({ event: 'database not served', reason: failure.describe('') })
  }
  return failure
}

/** Has the object of the deployment apply the missing migrations, after the response. Returns `schemaBehind`. */
function migrating(parts: Parts, mayChange: boolean): Fault {
  // A replica may only be behind the primary, which is asked next.
  if (!mayChange) return fault('schemaBehind')
  const call = Promise.resolve(parts.projects.getByName(DEPLOYMENT).migrate())
  waitUntil(call.catch((error: unknown) => logProblem({ event: 'migration failed', ...factsOf(error) })))
  return fault('schemaBehind')
}

/** What to throw for an error in the use of the key that authenticates rows: `keysForeign` or `masterKeyMissing`. */
function keyFailure(parts: Parts, error: unknown): unknown {
  if (error instanceof Fault) return refused(parts, error)
  return error instanceof SealError || error instanceof RowRefused ? refused(parts, fault('keysForeign')) : error
}

async function openRowKey(parts: Parts, { keyVersion, wrapped }: Answer): Promise<void> {
  if (keyVersion !== null && wrapped !== null) await takeRowAuthenticationKey(parts, keyVersion, wrapped)
}

/**
 * Makes the deployment that of this Worker, unless its row has changed since it was read. Of several Workers one
 * succeeds; returns the row as it is then.
 */
async function claimed(parts: Parts, answer: Answer): Promise<Answer> {
  const { id, mac } = answer
  if (id === null) throw fault('keysForeign')
  const row = await withMac(parts, 'deployments', { id, objects: namespaceOf(parts.projects) })
  const asRead = mac === null ? isNull(deployments.mac) : eq(deployments.mac, mac)
  const update = build
    .update(deployments)
    .set(row)
    .where(and(eq(deployments.id, id), asRead))
  const scope = { ...parts, source: byService('Deployment') }
  const event = changeOf({ id, projectId: DEPLOYMENT }, mac === null ? 'create' : 'update', 'deployment')
  await commit(scope, event, change(update))
  const [stored] = await parts.db.run(question)
  return stored ?? { ...answer, mac: null }
}

const isOwn = ({ projects }: Parts, { objects }: Answer) => objects === namespaceOf(projects)

/** Throws `keysForeign` or {@link RowRefused} unless the row was written under this keyring. */
async function requireKeys(parts: Parts, { keyVersion, id, mac, objects }: Answer): Promise<void> {
  if (keyVersion === null || id === null || mac === null) throw fault('keysForeign')
  await requireAuthentic(parts, 'deployments', { id, objects, mac })
}

/** Throws unless the deployment is this Worker's, or becomes it. */
async function requireMembership(parts: Parts, answer: Answer, adopted: string): Promise<void> {
  if (answer.mac !== null) await requireKeys(parts, answer)
  const isToClaim = answer.mac === null || (answer.id === adopted && !isOwn(parts, answer))
  const now = isToClaim ? await claimed(parts, answer) : answer
  if (isToClaim) await requireKeys(parts, now)
  if (!isOwn(parts, now)) throw fault('objectsForeign')
}

async function decide(parts: Parts, adopted: string, answer: Answer | undefined, mayChange: boolean): Promise<void> {
  if (!answer) throw refused(parts, fault('keysForeign'))
  const { id, requires, isCurrent, mac } = answer
  if (requires !== null && !migrations.some(({ name }) => name === requires)) {
    throw refused(parts, fault('schemaAhead'))
  }
  if (!isCurrent) throw migrating(parts, mayChange)
  // Only what the primary answers is a reason to change a row.
  if (!mayChange && (mac === null || id === adopted)) throw fault('schemaBehind')
  try {
    await openRowKey(parts, answer)
    await requireMembership(parts, answer, adopted)
  } catch (error) {
    throw keyFailure(parts, error)
  }
  if (id !== null) admitted.set(parts.keyring, id)
}

/** The admission of this isolate to the database of `parts`; it takes over the deployment with the id `adopted`. */
export function admissionOf(parts: Parts, adopted: string): Admission {
  return {
    get state() {
      return admitted.has(parts.keyring) ? 'answered' : 'open'
    },
    statements: [question],
    decide([answer], { mayChange }) {
      if (!answer) throw new Error('D1 returned no result')
      return decide(parts, adopted, question.read(answer)[0], mayChange)
    },
    revoke(error, mayChange) {
      if (admitted.delete(parts.keyring)) logProblem({ event: 'database with another schema', ...factsOf(error) })
      return migrating(parts, mayChange)
    },
  }
}
