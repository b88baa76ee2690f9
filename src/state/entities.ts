/** Types of secrets, containers and consumers, as operations return them and as they are read from the database. */
import type { containerConsumers, secretConsumers } from './schema/resources.ts'

/** A read ACL. */
export interface Acl {
  /** False if the entity is private within its project. */
  readonly projectAccess: boolean
  /** User ids, of any project, without duplicates. */
  readonly users: readonly string[]
  readonly created: string
  readonly updated: string
}

/** What the service does with a stored key for a caller who need not be able to read it. */
export const keyOperations = ['encrypt', 'decrypt', 'rewrap', 'datakey', 'sign', 'verify', 'mac'] as const
export type KeyOperation = (typeof keyOperations)[number]

/** An ACL for the use of a key. */
export interface UseAcl {
  /** False if the other members of the project may not use the key. */
  readonly projectAccess: boolean
  /** At most one for each user. */
  readonly grants: readonly { readonly userId: string; readonly operations: readonly KeyOperation[] }[]
}

/** The columns of a secret that say how its key may be used. */
export interface UseColumns {
  readonly extractable: boolean | null
  readonly usages: string | null
  readonly useGrants: string | null
}

/** The properties of an entity on which access rules depend. */
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

/** A consumer of a secret, as its registration describes it. */
export interface ConsumerOfSecret {
  readonly service: string
  readonly resource_type: string
  readonly resource_id: string
}

/** The payload of a secret and the rules for the next one, as the row of the secret has them; see `schema/resources.ts`. */
interface Versioned {
  readonly version: number | null
  readonly versionCreated: string | null
  readonly versionCreator: string | null
  readonly versionOrigin: string | null
  readonly put: string | null
  readonly keep: number | null
  readonly rotateDays: number | null
  readonly rotateConsumed: boolean | null
  readonly rotationDue: string | null
}

/** A secret without its payload. */
export interface Secret extends Guarded, UseColumns, Versioned {
  readonly use: UseAcl | null
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
  /** The MAC of the row. A change is saved only if the row still has it, so concurrent changes are not lost. */
  readonly mac: string
  /** At most `MOST_SHOWN_CONSUMERS`; null if they were not read. */
  readonly consumers: readonly ConsumerOfSecret[] | null
}

/** A secret as it is read from the database. */
export interface SecretRow extends Omit<Secret, 'hasPayload' | 'consumers' | 'use' | keyof Guarded>, AclRow {
  readonly hasPayload: number
  /** JSON of pairs `[seq, consumer]`. */
  readonly consumers: string | null
}

/** A reference to a secret in a container. The name is null if it was added without one. */
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
  /** The MAC of the row. A change is saved only if the row still has it, so concurrent changes are not lost. */
  readonly mac: string
  readonly secrets: readonly NamedSecret[]
  readonly consumers: readonly ConsumerOfContainer[]
}

/** A container as it is read from the database; `secrets` and `consumers` are JSON of pairs with `seq` first. */
export interface ContainerRow extends Omit<Container, 'secrets' | 'consumers' | keyof Guarded>, AclRow {
  readonly secrets: string
  readonly consumers: string
}

/** The columns that identify a consumer of an entity, for each kind of entity. */
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

/** The entities that have consumers. */
export interface Entities {
  readonly secret: Secret
  readonly container: Container
}

/** A registration of a consumer as it is sent to the project's object. */
export interface Registration<Kind extends ConsumerKind = ConsumerKind> {
  readonly id: string
  readonly entityId: string
  readonly entityProjectId: string
  /** The MAC of the entity's row that the caller's rule was asked of: over another one nothing is changed. */
  readonly entityMac: string
  /** The caller's project: its quota counts the registration. */
  readonly projectId: string
  readonly identity: Identities[Kind]
}
