/** Uses of keys over HTTP: `POST /secrets/{id}/{operation}`. Bytes are base64 in the bodies and in the answers. */
import type { Context } from 'hono'
import { Fault, type FailureName } from '../../faults.ts'
import { readKey } from '../../state/secrets/secret-reads.ts'
import type { StoredKey } from '../../state/secrets/secret-versions.ts'
import { reader, type BodyReader } from '../http/body.ts'
import type { Service } from '../http/context.ts'
import type { ReplyOf } from '../http/replies.ts'
import { operation, resource, type Call, type Resource } from '../http/resource.ts'
import type { Schema } from '../http/schema.ts'
import { secretFaults, secretIdOfPath } from '../secrets.ts'
import { keyBody } from './bodies.ts'
import { keyId, useKey, versionsFor, type Members, type Outcome, type Requested, type Use } from './uses.ts'

type ResultName = 'Encrypted' | 'Decrypted' | 'Rewrapped' | 'DataKey' | 'Signed' | 'Verified' | 'Authenticated'

/** The form of an item in a body. */
interface Form<Raw, Item> {
  readonly schema: Schema<Raw>
  /** Makes an item of what the schema admits. */
  readonly read: (raw: Raw) => Item
  readonly answers: { readonly 200: ResultName }
  /** What it refuses, beside what all uses do. */
  readonly faults: readonly FailureName[]
}

function view({ key, members }: Outcome<Members>) {
  const shown = Object.entries(members).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? value.toBase64() : value,
  ])
  return { ...Object.fromEntries(shown), key_id: keyId(key.id, key.version), key_version: key.version }
}

async function answerWith<Item, Result extends Members>(
  use: Use<Item, Result>,
  call: Call,
  key: StoredKey,
  requested: Requested<Item>,
): Promise<ReplyOf<{ readonly 200: ResultName }>> {
  const results = await useKey(use, call, key, requested)
  const [only] = results
  if (!requested.isBatch && only && !(only instanceof Fault)) return { status: 200, json: view(only) }
  const views = results.map((result) =>
    result instanceof Fault ? { error: { code: result.status, description: result.describe(use.name) } } : view(result),
  )
  return { status: 200, json: { results: views } }
}

/** Returns a reader that reads the body of a request once, however often it is asked. */
function once<Body>(read: BodyReader<Body>): BodyReader<Body> {
  const bodies = new WeakMap<Context<Service>, Promise<Body>>()
  return reader(read.accepted, (c) => {
    const body = bodies.get(c) ?? read(c)
    bodies.set(c, body)
    return body
  })
}

/** What refuses the use of a key, whatever it is used for. */
const useFaults = [
  'noPayload',
  'keyUsage',
  'keyKind',
  'keyVersion',
  'versionDisabled',
  'versionIsDestroyed',
  'useTooLarge',
] as const

/** Defines the resource of a use. */
export function keyOperation<Raw, Item, Result extends Members>(
  use: Use<Item, Result>,
  { schema, read, answers, faults }: Form<Raw, Item>,
): Resource {
  const body = once(keyBody(schema, read))
  return resource<StoredKey>({
    path: `/secrets/:secret/${use.operation}`,
    auditTarget: 'secret/key',
    // The body says which versions are to be read. What is wrong with it is told when its turn comes.
    async find({ c, backend, param }) {
      const id = secretIdOfPath(param)
      const requested = c.req.method === 'POST' ? await body(c).catch(() => null) : null
      return readKey(backend, id, versionsFor(use, requested?.items ?? []))
    },
    faults: secretFaults,
    operations: {
      POST: operation({
        name: use.name,
        rule: 'secret:use',
        use: use.operation,
        readsOnly: true,
        body,
        answers,
        faults: [...useFaults, ...faults],
        answer: (call, key, requested) => answerWith(use, call, key, requested),
      }),
    },
  })
}
