/** Secrets, containers and consumers: what operations return, and the rows that it is made from. Types alone. */
import type { containerConsumers, secretConsumers } from './schema/resources.ts'

/** A read ACL. */
export interface Acl {
  /** False makes the entity private within its project. */
  readonly projectAccess: boolean
  /** User ids, of any project, without duplicates. */
  readonly users: readonly string[]
  readonly created: string
  readonly updated: string
}

/** What the rules of access look at in an entity. */
export interface Guarded {
  readonly projectId: string
  readonly creatorId: string | null
  readonly acl: Acl | null
  readonly private: boolean
  readonly readers: readonly string[]
}

/** The columns of a {@link Guarded}. */
export interface AclRow {
  readonly projectId: string
  readonly creatorId: string | null
  readonly aclProjectAccess: boolean | null
  readonly aclUsers: string | null
  readonly aclCreated: string | null
  readonly aclUpdated: string | null
}

/** Who uses a secret, as its registrations say. */
export interface ConsumerOfSecret {
  readonly service: string
  readonly resource_type: string
  readonly resource_id: string
}

/** A secret without its payload. */
export interface Secret extends Guarded {
  readonly id: string
  readonly name: string | null
  readonly secretType: string
  readonly algorithm: string | null
  readonly mode: string | null
  readonly bitLength: number | null
  readonly expiration: string | null
  readonly created: string
  readonly updated: string
  readonly contentType: string | null
  readonly hasPayload: boolean
  /** The MAC of its row: a change is stored only over the row that it was made from. */
  readonly mac: string
  /** At most `MOST_SHOWN_CONSUMERS` of them; null: they were not asked for. */
  readonly consumers: readonly ConsumerOfSecret[] | null
}

/** A secret as it is read from the database. */
export interface SecretRow extends Omit<Secret, 'hasPayload' | 'consumers' | keyof Guarded>, AclRow {
  readonly hasPayload: number
  /** JSON of pairs `[seq, consumer]`. */
  readonly consumers: string | null
}

/** A secret in a container under a name; null: it was given without one. */
export interface NamedSecret {
  readonly name: string | null
  readonly secretId: string
}

export interface ConsumerOfContainer {
  readonly name: string
  readonly URL: string
}

export interface Container extends Guarded {
  readonly id: string
  readonly name: string | null
  readonly type: string
  readonly created: string
  readonly updated: string
  /** The MAC of its row: a change is stored only over the row that it was made from. */
  readonly mac: string
  readonly secrets: readonly NamedSecret[]
  readonly consumers: readonly ConsumerOfContainer[]
}

/** A container as it is read from the database; `secrets` and `consumers` are JSON of pairs with `seq` first. */
export interface ContainerRow extends Omit<Container, 'secrets' | 'consumers' | keyof Guarded>, AclRow {
  readonly secrets: string
  readonly consumers: string
}

/** What tells one consumer of an entity from another; the members are the columns of the kind's table. */
export interface Identities {
  readonly secret: { readonly service: string; readonly resourceType: string; readonly resourceId: string }
  readonly container: { readonly name: string; readonly url: string }
}

export type ConsumerKind = keyof Identities

/** A registered consumer. */
export interface Consumers {
  readonly secret: typeof secretConsumers.$inferSelect
  readonly container: typeof containerConsumers.$inferSelect
}

/** What has consumers. */
export interface Entities {
  readonly secret: Secret
  readonly container: Container
}

export interface EntityRows {
  readonly secret: SecretRow
  readonly container: ContainerRow
}

/** A registration of a consumer as it is sent to the project's object. */
export interface Registration<Kind extends ConsumerKind = ConsumerKind> {
  readonly id: string
  readonly entityId: string
  readonly entityProjectId: string
  /** The caller's project: its quota counts the registration. */
  readonly projectId: string
  readonly identity: Identities[Kind]
}
