/** Consumers as they are stored and as they are sent to a project's object: of secrets and of containers alike. */
import type { Container, ContainerRow } from './containers/container-rows.ts'
import type { containerConsumers, secretConsumers } from './schema/resources.ts'
import type { Secret, SecretRow } from './secrets/secret-rows.ts'

/** What tells one consumer of an entity from another; the members are the columns of the kind's table. */
export interface Identities {
  readonly secret: { readonly service: string; readonly resourceType: string; readonly resourceId: string }
  readonly container: { readonly name: string; readonly url: string }
}

export type ConsumerKind = keyof Identities

export interface Consumers {
  readonly secret: typeof secretConsumers.$inferSelect
  readonly container: typeof containerConsumers.$inferSelect
}

/** What has consumers. */
export interface Entities {
  readonly secret: Secret
  readonly container: Container
}

/** The row of an entity. */
export interface EntityRows {
  readonly secret: SecretRow
  readonly container: ContainerRow
}

/** A registration as it is sent to the project's object. */
export interface Registration {
  readonly kind: ConsumerKind
  readonly id: string
  readonly entityId: string
  readonly entityProjectId: string
  /** The caller's project: its quota counts the registration. */
  readonly projectId: string
  readonly identity: Identities[ConsumerKind]
}

/** The failure of an entity that does not exist. */
export const absent = { secret: 'secretNotFound', container: 'containerNotFound' } as const
