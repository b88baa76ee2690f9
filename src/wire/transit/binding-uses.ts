/**
 * Uses of keys through a service binding: the forms of their items, of which bytes are bytes, and the way of a call. Rules,
 * limits, records and failures are those of HTTP.
 */
import * as z from 'zod/mini'
import { permits } from '../../access/policy.ts'
import type { Answered, KeyUse, KeyView, ResultOf } from '../../client/contract.ts'
import { macNames } from '../../crypto/transit/macs.ts'
import { oaepNames, type OaepName } from '../../crypto/transit/oaep.ts'
import { signatureNames } from '../../crypto/transit/signatures.ts'
import { Fault, fault } from '../../faults.ts'
import { readKey, readSealedSecret } from '../../state/secrets/secret-reads.ts'
import { checked, refusalOf, type BindingCall } from '../binding-calls.ts'
import { admitted, idIn, ruled } from '../binding-rules.ts'
import { DATA_KEY_BITS, dataKey, decrypt, DEFAULT_DATA_KEY_BITS, encrypt, rewrap, type Terms } from './encryption.ts'
import { keyView } from './key.ts'
import { MAX_BODY_BYTES, MAX_CIPHERTEXT_BYTES, MAX_CONTEXT_BYTES, MAX_INPUT_BYTES } from './limits.ts'
import { MAX_ITEMS, MAX_SIGNATURE_BYTES, MAX_VERSION } from './limits.ts'
import { authentication, signature, verification } from './signing.ts'
import { keyId, unlessWhole, useKey, versionsFor } from './uses.ts'
import type { Bytes, Members, Outcome, Requested, Use } from './uses.ts'

/** A use that a binding can ask for. */
export interface BoundUse<Result> {
  /** The name in failure messages. */
  readonly name: string
  readonly once: (call: BindingCall, ref: unknown, item: unknown) => Promise<Result>
  readonly batch: (call: BindingCall, ref: unknown, items: unknown) => Promise<readonly Answered<Result>[]>
}

const bytes = () => z.custom<Bytes>((value) => value instanceof Uint8Array)
const keyVersion = () => z.optional(z.int().check(z.gte(1), z.lte(MAX_VERSION)))
const encryptionMembers = () => ({
  context: z.optional(bytes()),
  algorithm: z.optional(z.enum(oaepNames)),
  keyVersion: keyVersion(),
})
const signatureMembers = () => ({
  input: bytes(),
  algorithm: z.optional(z.enum(signatureNames)),
  prehashed: z.optional(z.boolean()),
  format: z.optional(z.enum(['der', 'raw'])),
  keyVersion: keyVersion(),
})

/** Returns the bytes of a member. Throws `useTooLarge` for more than `max`. */
function upTo(max: number, member: string, given: Bytes): Bytes {
  if (given.length > max) throw fault('useTooLarge', `'${member}'`, `${max} bytes`)
  return given
}

interface Options {
  readonly context?: Bytes | undefined
  readonly algorithm?: OaepName | undefined
  readonly keyVersion?: number | undefined
}
const contextIn = (context: Bytes | undefined, member: string) =>
  upTo(MAX_CONTEXT_BYTES, member, context ?? new Uint8Array(0))
const termsOf = ({ context, algorithm, keyVersion: version }: Options): Terms => ({
  context: contextIn(context, 'context'),
  algorithm,
  version,
})
const ciphertextIn = (ciphertext: Bytes) => upTo(MAX_CIPHERTEXT_BYTES, 'ciphertext', ciphertext)
const inputIn = (input: Bytes) => upTo(MAX_INPUT_BYTES, 'input', input)

function bytesOf(given: unknown): number {
  const members: unknown[] = Object.values(Object(given))
  return members.reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 0), 0)
}

function requireBatch(given: unknown): readonly unknown[] {
  if (!Array.isArray(given) || given.length === 0) throw fault('argument', 'items')
  if (given.length > MAX_ITEMS) throw fault('useTooLarge', 'a batch', `${MAX_ITEMS} items`)
  const all = given.reduce<number>((sum, item) => sum + bytesOf(item), 0)
  if (all > MAX_BODY_BYTES) throw fault('useTooLarge', 'a batch', `${MAX_BODY_BYTES} bytes`)
  return given
}

type Named<Result> = Result & { readonly keyId: string; readonly keyVersion: number }

const answerOf = <Result extends Members>({ key, members }: Outcome<Result>): Named<Result> => ({
  ...members,
  keyId: keyId(key.id, key.version),
  keyVersion: key.version,
})

/** A use as a binding has it. `schema` is of its items, and `read` makes an item of the use of what it admits. */
function bound<Raw, Item, Result extends Members>(
  use: Use<Item, Result>,
  schema: () => z.ZodMiniType<Raw>,
  read: (raw: Raw) => Item,
): BoundUse<Named<Result>> {
  const type = z.lazy(schema)
  const readItem = (given: unknown) =>
    read(checked(type, given, (path) => fault('argument', path === 'not an object' ? 'item' : path)))

  async function readItems(given: () => readonly unknown[], isBatch: boolean): Promise<Requested<Item>> {
    const items: (Item | Fault)[] = []
    for (const one of given()) items.push(await unlessWhole(() => readItem(one)))
    const [only] = items
    if (!isBatch && only instanceof Fault) throw only
    return { isBatch, items }
  }

  async function run(call: BindingCall, ref: unknown, isBatch: boolean, given: () => readonly unknown[]) {
    const id = idIn(ref)
    // The items say which versions are to be read. What is wrong with them is told after the rule, as over HTTP.
    const requested = readItems(given, isBatch)
    const early = await requested.catch(() => null)
    const key = await readKey(call.backend, id, versionsFor(use, early?.items ?? []))
    const asked = { rule: 'secret:use', use: use.operation, target: 'secret/key' } as const
    return admitted(call, asked, key, async () =>
      useKey(use, { config: call.config, backend: ruled(call, asked.rule) }, key, await requested),
    )
  }

  return {
    name: use.name,
    async once(call, ref, item) {
      const [only] = await run(call, ref, false, () => [item])
      if (!only || only instanceof Fault) throw only ?? fault('unexpected')
      return answerOf(only)
    },
    async batch(call, ref, items) {
      const results = await run(call, ref, true, () => requireBatch(items))
      return results.map((result) =>
        result instanceof Fault ? refusalOf(result, use.name) : { ok: true, value: answerOf(result) },
      )
    },
  }
}

/** The uses by the names of the API, in the forms of the contract. */
export const boundUses: { readonly [Name in KeyUse]: BoundUse<ResultOf<Name>> } = {
  encrypt: bound(
    encrypt,
    () => z.strictObject({ ...encryptionMembers(), plaintext: bytes() }),
    (raw) => ({ ...termsOf(raw), plaintext: upTo(MAX_INPUT_BYTES, 'plaintext', raw.plaintext) }),
  ),
  decrypt: bound(
    decrypt,
    () => z.strictObject({ ...encryptionMembers(), ciphertext: bytes() }),
    (raw) => ({ ...termsOf(raw), ciphertext: ciphertextIn(raw.ciphertext) }),
  ),
  rewrap: bound(
    rewrap,
    () => z.strictObject({ ...encryptionMembers(), ciphertext: bytes(), newContext: z.optional(bytes()) }),
    (raw) => ({
      ...termsOf(raw),
      ciphertext: ciphertextIn(raw.ciphertext),
      newContext: contextIn(raw.newContext ?? raw.context, 'newContext'),
    }),
  ),
  datakey: bound(
    dataKey,
    () =>
      z.strictObject({
        ...encryptionMembers(),
        bits: z.optional(z.literal([...DATA_KEY_BITS])),
        plaintext: z.optional(z.boolean()),
      }),
    (raw) => ({ ...termsOf(raw), bits: raw.bits ?? DEFAULT_DATA_KEY_BITS, shown: raw.plaintext ?? true }),
  ),
  sign: bound(
    signature,
    () => z.strictObject(signatureMembers()),
    ({ input, keyVersion: version, ...options }) => ({ ...options, version, input: inputIn(input) }),
  ),
  verify: bound(
    verification,
    () => z.strictObject({ ...signatureMembers(), signature: bytes() }),
    ({ input, signature: signed, keyVersion: version, ...options }) => ({
      ...options,
      version,
      input: inputIn(input),
      signature: upTo(MAX_SIGNATURE_BYTES, 'signature', signed),
    }),
  ),
  mac: bound(
    authentication,
    () =>
      z.strictObject({
        input: bytes(),
        algorithm: z.enum(macNames),
        mac: z.optional(bytes()),
        keyVersion: keyVersion(),
      }),
    ({ input, algorithm, mac: code, keyVersion: version }) => ({
      algorithm,
      version,
      input: inputIn(input),
      code: code ? upTo(MAX_SIGNATURE_BYTES, 'mac', code) : null,
    }),
  ),
}

const isUse = (name: unknown): name is KeyUse => typeof name === 'string' && Object.hasOwn(boundUses, name)

/** The use with this name, as a caller gives it. Throws `argument`. */
export function useNamed<Name extends KeyUse>(name: Name): (typeof boundUses)[Name] {
  if (!isUse(name)) throw fault('argument', 'use')
  return boundUses[name]
}

/** The name of an operation in failure messages, also of one that there is not. */
export const nameOfUse = (name: unknown): string => (isUse(name) ? boundUses[name].name : 'Key use')

/** The name of {@link describe} in failure messages. */
export const KEY = 'Key retrieval'

/** Describes a key. The rule is `secret_key:get`, as over HTTP. */
export async function describe(call: BindingCall, ref: unknown): Promise<KeyView> {
  const secret = await readSealedSecret(call.backend, idIn(ref))
  return admitted(call, { rule: 'secret_key:get', target: 'secret/key' }, secret, () =>
    keyView(call.backend, secret, (use) => permits(call.config.policy, 'secret:use', call.caller, secret, use)),
  )
}
