/** What is answered about containers, orders, quotas, secret stores, transport keys, authorities and the audit log. */
import * as z from 'zod/mini'
import { active, described, list, oneOf, pageMembers, ref, textOrNull, time, timeOrNull } from './members.ts'

const ContainerConsumerName = z.object({ name: z.string(), URL: z.string() })

const Container = z.object({
  created: time(),
  updated: time(),
  status: active(),
  name: textOrNull(),
  type: oneOf(['generic', 'rsa', 'certificate']),
  creator_id: textOrNull(),
  secret_refs: list(z.object({ name: textOrNull(), secret_ref: ref() })),
  consumers: list(ContainerConsumerName),
  container_ref: ref(),
})

const ContainerConsumer = z.object({
  created: time(),
  updated: time(),
  status: active(),
  name: z.string(),
  URL: z.string(),
})

/** `meta` as the order was placed, without payload and passphrase. */
const GeneratedMeta = z.object({
  name: z.optional(textOrNull()),
  algorithm: z.optional(z.string()),
  bit_length: z.optional(z.int()),
  mode: z.optional(z.string()),
  payload_content_type: z.optional(textOrNull()),
  expiration: z.optional(timeOrNull()),
})

const CertificateMeta = z.object({
  name: z.optional(z.string()),
  request_type: z.optional(z.string()),
  request_data: z.optional(z.string()),
  container_ref: z.optional(z.string()),
  subject_dn: z.optional(z.string()),
  ca_id: z.optional(z.string()),
  profile: z.optional(z.string()),
  requestor_name: z.optional(z.string()),
  requestor_email: z.optional(z.string()),
  requestor_phone: z.optional(z.string()),
})

const orderMembers = () => ({
  created: time(),
  updated: time(),
  status: oneOf(['PENDING', 'ACTIVE', 'ERROR']),
  error_status_code: described(z.optional(z.string()), 'Of an order in ERROR.'),
  error_reason: z.optional(textOrNull()),
  sub_status: described(z.optional(z.string()), 'Of a certificate order.'),
  sub_status_message: z.optional(textOrNull()),
  creator_id: textOrNull(),
  secret_ref: described(z.optional(ref()), 'What an ACTIVE order for a key has made.'),
  order_ref: ref(),
  container_ref: described(z.optional(ref()), 'What an ACTIVE order for a key pair or certificate has made.'),
})

const KeyOrder = z.object({ ...orderMembers(), type: z.literal('key'), meta: GeneratedMeta })
const KeyPairOrder = z.object({ ...orderMembers(), type: z.literal('asymmetric'), meta: GeneratedMeta })
const CertificateOrder = z.object({ ...orderMembers(), type: z.literal('certificate'), meta: CertificateMeta })
const Order = z.discriminatedUnion('type', [KeyOrder, KeyPairOrder, CertificateOrder])

const limits = <Limit extends z.ZodMiniType>(limit: () => Limit) =>
  z.object({ secrets: limit(), orders: limit(), containers: limit(), consumers: limit(), cas: limit() })
const effective = limits(() => described(z.int(), '-1: unlimited.'))
const own = limits(() => described(z.nullable(z.int()), '-1: unlimited; null: the default of the service.'))

const SecretStore = z.object({
  created: time(),
  updated: time(),
  status: active(),
  crypto_plugin: textOrNull(),
  global_default: z.boolean(),
  name: z.string(),
  secret_store_plugin: z.string(),
  secret_store_ref: ref(),
})

const IssuedCertificate = z.object({
  serial: z.string(),
  container_ref: ref(),
  created: time(),
  expiration: time(),
  revoked: timeOrNull(),
})

const link = z.object({ rel: z.string(), href: z.string(), type: z.optional(z.string()) })

/** Since microversion 1.1. */
const NewVersionDocument = z.object({
  id: z.literal('v1'),
  status: z.literal('CURRENT'),
  min_version: z.string(),
  max_version: z.string(),
  links: list(link),
})

const OldVersionDocument = z.object({
  id: z.literal('v1'),
  status: z.literal('stable'),
  links: list(link),
  'media-types': list(z.object({ base: z.string(), type: z.string() })),
})

export const resourceShapes = {
  Container,
  Containers: z.object({ containers: list(Container), ...pageMembers() }),
  ContainerRef: z.object({ container_ref: ref() }),
  ContainerConsumer,
  ContainerConsumers: z.object({ consumers: list(ContainerConsumer), ...pageMembers() }),
  KeyOrder,
  KeyPairOrder,
  CertificateOrder,
  Order,
  Orders: z.object({ orders: list(Order), ...pageMembers() }),
  OrderRef: z.object({ order_ref: ref() }),
  Quotas: z.object({ quotas: effective }),
  ProjectQuotas: z.object({ project_quotas: own }),
  ProjectsWithQuotas: z.object({
    project_quotas: list(z.object({ project_id: z.string(), project_quotas: own })),
    ...pageMembers(),
  }),
  SecretStore,
  SecretStores: z.object({ secret_stores: list(SecretStore) }),
  TransportKeys: z.object({
    transport_keys: described(list(z.never()), 'Always empty: the service wraps nothing in transit.'),
    ...pageMembers(),
  }),
  CertificateAuthorities: z.object({ cas: list(ref()), ...pageMembers() }),
  CertificateAuthority: z.object({
    created: time(),
    updated: time(),
    status: active(),
    plugin_name: z.string(),
    plugin_ca_id: z.string(),
    expiration: time(),
    meta: list(z.record(z.string(), z.string())),
  }),
  IssuedCertificates: z.object({ certificates: list(IssuedCertificate), ...pageMembers() }),
  Extensions: z.object({
    extensions: list(
      z.object({
        alias: z.string(),
        name: z.string(),
        description: z.string(),
        updated: z.string(),
        links: list(z.unknown()),
      }),
    ),
  }),
  Versions: z.object({ versions: z.union([list(NewVersionDocument), z.object({ values: list(OldVersionDocument) })]) }),
  Version: z.object({ version: z.union([NewVersionDocument, OldVersionDocument]) }),
  Health: z.object({
    detailed: z.boolean(),
    reasons: list(z.string()),
    schema: z.optional(z.enum(['current', 'behind', 'ahead', 'unknown'])),
    keys: z.optional(z.enum(['complete', 'incomplete', 'foreign', 'unknown'])),
    deployment: z.optional(z.enum(['own', 'foreign', 'unknown'])),
    replicas: z.optional(z.enum(['answering', 'not answering', 'unknown'])),
  }),
}
