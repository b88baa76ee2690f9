/**
 * Rules about bodies that the schemas of the contract do not say, since JSON Schema has no words for them, or they are
 * about more than the document: the sentences that the service has for them, and the operations that have these rules.
 */
interface Rule {
  readonly reason: string
  readonly sentence: RegExp
  /** Ids of operations. */
  readonly of: RegExp
}

const rules: readonly Rule[] = [
  {
    reason: 'what a secret may be used for depends on its type and algorithm',
    sentence: /is not a usage of a|are usages of more than one family|that cannot be read/,
    of: /^post(Secrets|Orders)$|^patchSecretKey$/,
  },
  {
    reason: 'a time has more forms than a pattern says, and must not be over',
    sentence: /Invalid date for 'expiration'|'expiration' is before current time|is not a time/,
    of: /^post(Secrets|Orders|SecretVersions|AdminRotate)$/,
  },
  {
    reason: 'a payload and its types must fit each other, in the sentences of Barbican',
    sentence: /payload_content_|payload must be provided|payload must not be empty|'payload'/,
    of: /^post(Secrets|Orders|SecretVersions)$/,
  },
  {
    reason: '`generate: false` is the same as none',
    sentence: /exactly one of 'payload', 'generate' and 'restore' must be given/,
    of: /^postSecretVersions$/,
  },
  {
    reason: 'the secrets of a container must differ, and be those of its type',
    sentence: /Invalid property: 'secret_refs'/,
    of: /^postContainers$/,
  },
  {
    reason: 'the members of `meta` depend on each other',
    sentence: /Invalid property: '(meta|type)'|within 'Order'/,
    of: /^(post|put)Orders?$/,
  },
  { reason: 'nothing is accepted in any case', sentence: /must be provided/, of: /^postTransportKeys$/ },
  { reason: 'it is the id of a project', sentence: /is not the id of a project/, of: /^postAdminReconcile$/ },
  {
    reason: 'unused bits of base64 must be zero',
    sentence: /is not base64/,
    of: /^postSecret(Encrypt|Decrypt|Rewrap|Datakey|Sign|Verify|Mac)$/,
  },
]

/** The sentences of the rules that an operation has. */
export const rulesBeside = (operationId: string): RegExp[] =>
  rules.filter(({ of }) => of.test(operationId)).map(({ sentence }) => sentence)
