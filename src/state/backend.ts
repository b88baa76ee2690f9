/** What the operations of a request are given beside their input. Types alone: `connect.ts` makes the values. */
import type { Session } from './database/session.ts'
import type { ProjectObjects } from './project-calls.ts'
import type { KeyedStore } from './scope.ts'

export interface Backend extends KeyedStore {
  /** What `db` is used in. */
  readonly session: Session
  /** The objects that serialise the mutations of a project, one per project id. */
  readonly projects: ProjectObjects
  /** Whether projects choose between two secret stores. */
  readonly secretStores: 'single' | 'multiple'
  /** How old the metadata of a secret may be that somebody reads; 0: it is looked up each time. */
  readonly readCacheSeconds: number
  /** The name of secrets that are made without one. */
  readonly nameDefault: 'none' | 'id'
}

/** What the Worker's configuration says about its state. */
export type StateSettings = Pick<Backend, 'keyring' | 'quotas' | 'secretStores' | 'readCacheSeconds' | 'nameDefault'>
