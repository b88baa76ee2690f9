/** What the operations of a request are given beside their input. Types alone: `connect.ts` makes the values. */
import type { Session } from './database/session.ts'
import type { ProjectObjects } from './project-calls.ts'
import type { StoreChoice } from './projects/secret-stores.ts'
import type { KeyedScope } from './scope.ts'

export interface Backend extends KeyedScope, StoreChoice {
  readonly db: Session
  /** The objects that serialise the mutations of a project, one per project id. */
  readonly projects: ProjectObjects
  /** The greatest age, in seconds, of a secret's metadata that a reader is shown; 0: it is read each time. */
  readonly readCacheSeconds: number
  /** The name of secrets that are created without one. */
  readonly nameDefault: 'none' | 'id'
}

/** What the Worker's configuration says about its state. */
export type StateSettings = Pick<Backend, 'keyring' | 'quotas' | 'secretStores' | 'readCacheSeconds' | 'nameDefault'>
