/** The dependencies of operations. This file has only types; `connect.ts` creates the values. */
import type { Session } from './database/session.ts'
import type { Container, Secret } from './entities.ts'
import type { Places } from './places.ts'
import type { ProjectObjects } from './project-calls.ts'
import type { StoreChoice } from './projects/secret-stores.ts'
import type { KeyedScope } from './scope.ts'

/**
 * How old an answer may be at the time of its request, in whole seconds: it must contain every change that was
 * acknowledged before. At most the deployment's bound.
 */
export interface AcceptedAge {
  /** What a replica answers, and what is known of the caller. 0: only the primary is asked. */
  readonly most: number
  /** What this isolate remembers. 0: nothing is answered from memory. */
  readonly memory: number
}

export interface Backend extends KeyedScope, StoreChoice {
  readonly db: Session
  /**
   * Throws `notPermitted` unless the caller may change the entity as it is by now. A change that met another one asks it
   * before it is made again: the other one may have shut the caller out. The service itself may.
   */
  readonly stillAllowed: (subject: Secret | Container) => Promise<void>
  /** The objects that serialise the mutations of a project, one per project id. */
  readonly projects: ProjectObjects
  /** The id of the deployment of the database; throws `schemaBehind` before this isolate was admitted to it. */
  readonly deployment: () => string
  /** Whether the variable READ_ONLY makes the service read-only; see `read-only.ts`. */
  readonly readOnly: boolean
  /** The greatest age of any answer, in seconds, as the operator states it. */
  readonly stalenessSeconds: number
  readonly accepts: AcceptedAge
  /** The name of secrets that are created without one. */
  readonly nameDefault: 'none' | 'id'
  /** How many payloads are kept of a secret that does not say so itself, the present one included. */
  readonly keepVersions: number
}

/** The part of the Worker's configuration that the state uses. */
export interface StateSettings extends Pick<
  Backend,
  'keyring' | 'quotas' | 'secretStores' | 'readOnly' | 'stalenessSeconds' | 'nameDefault' | 'keepVersions'
> {
  /** Where the objects of projects are made. */
  readonly places: Places
  /** The id of a deployment that this Worker takes over from one with other objects; empty: none. */
  readonly adoptDatabase: string
}
