/**
 * Limits that decide are limits that are authentic. A statement can compare codes but not check them: so this isolate
 * remembers the code of each project's own limits as it last found them good, and a statement that asks for a limit
 * holds only while the row has that code.
 */
import { fault, Fault } from '../../faults.ts'
import type { Backend } from '../backend.ts'
import { isDestroyed } from './destructions.ts'
import { findLimits } from './quotas.ts'

const MOST_KNOWN = 10_000

/** By keyring, then by project; a project that is not there has no limits of its own, as most have none. */
const known = new WeakMap<Backend['keyring'], Map<string, string>>()

/** The code of the project's own limits; empty for none. */
export function limitsKnown(keyring: Backend['keyring'], projectId: string): string {
  return known.get(keyring)?.get(projectId) ?? ''
}

/** Looks the limits up and gives their code. Throws `RowRefused`. */
async function learnLimits(backend: Backend, projectId: string): Promise<string> {
  const mac = (await findLimits(backend, projectId))?.mac ?? ''
  const projects = known.get(backend.keyring) ?? new Map<string, string>()
  known.set(backend.keyring, projects)
  projects.delete(projectId)
  if (mac === '') return mac
  const [oldest] = projects.keys()
  if (oldest !== undefined && projects.size >= MOST_KNOWN) projects.delete(oldest)
  projects.set(projectId, mac)
  return mac
}

/**
 * Runs an operation that may be refused for the project's limits. When it is, and the limits are others than it was run
 * with, it is run once more: two round trips for the first one of this isolate in a project that has limits of its own.
 * Throws `projectDestroyed` when that is why it was refused.
 */
export async function withinLimits<Value>(
  backend: Backend,
  projectId: string,
  operation: () => Promise<Value>,
): Promise<Value> {
  // Not as they are known when it is refused: another request may have learnt them meanwhile.
  const before = limitsKnown(backend.keyring, projectId)
  try {
    return await operation()
  } catch (error) {
    if (!(error instanceof Fault) || error.failure !== 'quotaReached') throw error
    if ((await learnLimits(backend, projectId)) !== before) return withinLimits(backend, projectId, operation)
    throw (await isDestroyed(backend, projectId)) ? fault('projectDestroyed') : error
  }
}
