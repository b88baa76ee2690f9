/** What is answered about secrets, their user metadata, versions, ACLs and consumers. */
import * as z from 'zod/mini'
import { active, count, described, list, oneOf, pageMembers, ref, textOrNull, time, timeOrNull } from './members.ts'

const secretTypes = ['symmetric', 'passphrase', 'private', 'public', 'certificate', 'opaque']

const contentTypes = () =>
  described(z.optional(z.object({ default: z.string() })), 'The media type of the payload; absent without one.')

const SecretConsumerName = z.object({ service: z.string(), resource_type: z.string(), resource_id: z.string() })

const Secret = z.object({
  created: time(),
  updated: time(),
  status: active(),
  name: textOrNull(),
  secret_type: oneOf(secretTypes),
  expiration: described(timeOrNull(), 'From this time on, the secret answers 404.'),
  algorithm: textOrNull(),
  bit_length: z.nullable(z.int()),
  mode: textOrNull(),
  creator_id: textOrNull(),
  consumers: described(
    z.optional(z.nullable(list(SecretConsumerName))),
    'Since microversion 1.1; answers to POST and DELETE of consumers have it at every version.',
  ),
  content_types: contentTypes(),
  secret_ref: ref(),
})

const SecretConsumer = z.object({
  created: time(),
  updated: time(),
  status: active(),
  service: z.string(),
  resource_type: z.string(),
  resource_id: z.string(),
})

const SecretVersion = z.object({
  version: z.int(),
  status: z.enum(['CURRENT', 'ENABLED', 'DISABLED', 'DESTROYED']),
  created: time(),
  creator_id: described(textOrNull(), 'Who stored the payload; null: the service.'),
  origin: described(z.string(), 'How the payload was made: `payload`, `generated`, `restored from 3`, …'),
  content_types: contentTypes(),
  destroyed: described(z.optional(time()), 'When the payload was destroyed.'),
  version_ref: ref(),
})

const ReadAcl = z.object({
  read: z.object({
    'project-access': described(z.boolean(), 'Whether the other members of the project may read it.'),
    users: z.optional(list(z.string())),
    created: z.optional(time()),
    updated: z.optional(time()),
  }),
})

const keyOperations = z.enum(['encrypt', 'decrypt', 'rewrap', 'datakey', 'sign', 'verify', 'mac'])

export const secretShapes = {
  Secret,
  Secrets: z.object({ secrets: list(Secret), ...pageMembers() }),
  SecretRef: z.object({ secret_ref: ref() }),
  Metadata: z.object({ metadata: z.record(z.string(), z.string()) }),
  MetadataRef: z.object({ metadata_ref: ref() }),
  Metadatum: z.object({ key: z.string(), value: z.string() }),
  SecretVersion,
  SecretVersions: z.object({ versions: list(SecretVersion), ...pageMembers() }),
  NewVersion: z.object({
    version_ref: ref(),
    version: z.int(),
    consumers: described(count(), 'How many consumers are registered, which may still use the version before.'),
  }),
  Versioning: z.object({
    put: described(oneOf(['refuse', 'replace']), 'Whether `PUT` of the secret replaces a payload.'),
    keep: described(z.int(), 'How many versions are kept.'),
    rotate_days: described(count(), 'After how many days the key is generated anew; 0: never.'),
    next_rotation: timeOrNull(),
  }),
  ReadAcl,
  AclRef: z.object({ acl_ref: ref() }),
  DeletedAcl: z.null(),
  SecretConsumer,
  SecretConsumers: z.object({ consumers: list(SecretConsumer), ...pageMembers() }),
  UseAcl: z.object({
    grants: list(z.object({ user_id: z.string(), operations: list(keyOperations) })),
    'project-access': described(z.boolean(), 'Whether the other members of the project may use the key.'),
  }),
  KeyUse: z.object({
    key: z.object({
      key_id: described(z.string(), 'Names the version of the key, and is never given to another one.'),
      version: z.int(),
      algorithm: described(textOrNull(), 'Null if the payload is no key.'),
      bit_length: z.nullable(z.int()),
      extractable: z.boolean(),
      usages: list(z.string()),
      operations: described(list(keyOperations), 'What the caller may do with it.'),
      public_key: described(textOrNull(), 'PEM, of a key pair.'),
    }),
  }),
}
