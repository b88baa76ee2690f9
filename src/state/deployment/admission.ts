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
import type { Admission, Session } from '../database/session.ts'
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
  (columns) => build.select(columns).from(deployments).leftJoin(projectKeys, isRowAuthenticationKey),
)({})

type Answer = ReturnType<typeof question.read>[number]

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

/** Makes an unclaimed deployment that of this Worker. Of several Workers one succeeds; returns the row as it is then. */
async function claimed(parts: Parts, { id }: Answer, mayChange: boolean): Promise<Answer> {
  if (!mayChange) throw fault('schemaBehind')
  const row = await withMac(parts, 'deployments', { id, objects: namespaceOf(parts.projects) })
  const update = build
    .update(deployments)
    .set(row)
    .where(and(eq(deployments.id, id), isNull(deployments.mac)))
  const scope = { ...parts, source: byService('Deployment') }
  await commit(scope, changeOf({ id, projectId: DEPLOYMENT }, 'create', 'deployment'), change(update))
  const [stored] = await parts.db.run(question)
  if (!stored) throw fault('keysForeign')
  return stored
}

/** Throws unless the claimed row was written under this keyring, for these objects. */
async function requireOwn(parts: Parts, { keyVersion, mac, ...row }: Answer): Promise<void> {
  if (keyVersion === null || mac === null) throw fault('keysForeign')
  await requireAuthentic(parts, 'deployments', { ...row, mac })
  if (row.objects !== namespaceOf(parts.projects)) throw fault('objectsForeign')
}

async function decide(parts: Parts, answer: Answer | undefined, mayChange: boolean): Promise<void> {
  if (!answer) throw refused(parts, fault('keysForeign'))
  const { requires, isCurrent, mac } = answer
  if (requires !== null && !migrations.some(({ name }) => name === requires)) {
    throw refused(parts, fault('schemaAhead'))
  }
  if (!isCurrent) throw migrating(parts, mayChange)
  try {
    await openRowKey(parts, answer)
    await requireOwn(parts, mac === null ? await claimed(parts, answer, mayChange) : answer)
  } catch (error) {
    throw keyFailure(parts, error)
  }
  admitted.set(parts.keyring, answer.id)
}

/** The admission of this isolate to the database of `parts`. */
export function admissionOf(parts: Parts): Admission {
  return {
    get isAdmitted() {
      return admitted.has(parts.keyring)
    },
    question,
    decide: (answer, mayChange) => decide(parts, question.read(answer)[0], mayChange),
    revoke(error, mayChange) {
      if (admitted.delete(parts.keyring)) logProblem({ event: 'database with another schema', ...factsOf(error) })
      return migrating(parts, mayChange)
    },
  }
}
