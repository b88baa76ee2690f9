/**
 * `KeyManager`, the entrypoint for service bindings: look-ups of secrets by other Workers of the account, which need no
 * secret of their own. Its methods are those of `client/contract.ts`. Access is decided by the rules that HTTP has, for the
 * user of the credential that the binding's `props` name, or of the token that a call passes.
 */
import { WorkerEntrypoint } from 'cloudflare:workers'
import type { Answered, ItemOf, KeyManagerBinding, KeyUse, KeyView, LookUp } from '../client/contract.ts'
import type { Metadata, Payload, Ready, ResultOf } from '../client/contract.ts'
import type { Environment } from '../config.ts'
import { fault } from '../faults.ts'
import type { Backend } from '../state/backend.ts'
import { resealSoon } from '../state/keys/project-key-versions.ts'
import { isWritable, requireWritable } from '../state/read-only.ts'
import { findNewestNamed, findSealedSecrets } from '../state/secrets/look-ups.ts'
import { readSecret } from '../state/secrets/secret-reads.ts'
import { readPayload, recordReads, type SealedSecret } from '../state/secrets/secrets.ts'
import { answering, refusalOf, type BindingCall } from './binding-calls.ts'
import { admitted, idIn, isAdmitted, ruled } from './binding-rules.ts'
import { normaliseContentType } from './payload.ts'
import { boundUses, describe, KEY, nameOfUse, useNamed } from './transit/binding-uses.ts'

const MOST_REFS = 50
const MOST_NAME_CHARACTERS = 255
/** Payloads that one round trip reads, each of at most 1.9 MB, so that they fit into the memory of an isolate. */
const REFS_PER_TRIP = 10
/** A value of at most 32 MiB crosses a binding. In bytes, as sealed. */
const MOST_ANSWER_BYTES = 24 * 1024 * 1024

const PAYLOAD = 'Secret payload retrieval'
const METADATA = 'Secret retrieval'
const DECRYPT = { rule: 'secret:decrypt' } as const

/** A stored time as RFC 3339 has it. */
const zoned = (time: string): string => `${time}Z`

/** The time as of which what the answer is based on was read. */
const asOf = ({ db, now }: Backend): string => zoned(db.asOf ?? now)

function nameIn(name: unknown): string {
  if (typeof name !== 'string' || name === '' || name.length > MOST_NAME_CHARACTERS) throw fault('argument', 'name')
  return name
}

async function opened(call: BindingCall, secret: SealedSecret): Promise<Payload> {
  const backend = ruled(call, 'secret:decrypt')
  const bytes = await readPayload(backend, secret)
  if (secret.superseded !== null) resealSoon(backend, secret.id, () => isWritable(backend))
  const type = normaliseContentType(secret.contentType ?? '') ?? 'application/octet-stream'
  return { bytes, type, id: secret.id, asOf: asOf(backend) }
}

/** Records the reads if AUDIT_READS says so, in one round trip, and returns the ids of the secrets that still exist. */
async function recorded(call: BindingCall, read: readonly SealedSecret[]): Promise<ReadonlySet<string>> {
  if (call.config.auditReads === 'strict' && read.length > 0) {
    const backend = ruled(call, 'secret:decrypt')
    await requireWritable(backend)
    return recordReads(backend, read, 'secret/payload')
  }
  return new Set(read.map(({ id }) => id))
}

/** Returns the value of a settled promise, or throws its reason. */
function valueOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

const valuesOf = <Value>(settled: readonly PromiseSettledResult<Value>[]): Value[] =>
  settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))

/** Reads a group of payloads. `left` is how many bytes the answer may still have, and is reduced by those of the group. */
async function readGroup(
  call: BindingCall,
  refs: readonly unknown[],
  left: { bytes: number },
): Promise<PromiseSettledResult<Payload>[]> {
  const ids = await Promise.allSettled(refs.map(async (ref) => idIn(ref)))
  const found = await findSealedSecrets(call.backend, new Set(valuesOf(ids)))
  const read = await Promise.allSettled(
    ids.map(async (id) => {
      const secret = await found.get(valueOf(id))?.()
      if (!secret) throw fault('secretNotFound')
      return admitted(call, DECRYPT, secret, async () => {
        left.bytes -= secret.sealed?.length ?? 0
        if (left.bytes < 0) throw fault('answerTooLarge')
        return { secret, payload: await opened(call, secret) }
      })
    }),
  )
  const live = await recorded(
    call,
    valuesOf(read).map(({ secret }) => secret),
  )
  return Promise.allSettled(
    read.map(async (one) => {
      const { secret, payload } = valueOf(one)
      if (!live.has(secret.id)) throw fault('secretNotFound')
      return payload
    }),
  )
}

async function readAll(call: BindingCall, refs: unknown): Promise<readonly Answered<Payload>[]> {
  if (!Array.isArray(refs) || refs.length > MOST_REFS) throw fault('argument', 'refs')
  const left = { bytes: MOST_ANSWER_BYTES }
  const answers: Answered<Payload>[] = []
  for (let at = 0; at < refs.length; at += REFS_PER_TRIP) {
    const group = await readGroup(call, refs.slice(at, at + REFS_PER_TRIP), left)
    const refused = group.find((one) => one.status === 'rejected')
    // What a replica refuses is asked again at the primary.
    if (refused && call.backend.db.observed.lagging) throw refused.reason
    for (const one of group) {
      answers.push(one.status === 'fulfilled' ? { ok: true, value: one.value } : refusalOf(one.reason, PAYLOAD))
    }
  }
  return answers
}

async function readNamed(call: BindingCall, name: string): Promise<Payload> {
  const secret = await findNewestNamed(call.backend, call, name, (one) => isAdmitted(call, DECRYPT, one))
  const payload = await admitted(call, DECRYPT, secret, () => opened(call, secret))
  const live = await recorded(call, [secret])
  if (!live.has(secret.id)) throw fault('secretNotFound')
  return payload
}

async function readMetadata(call: BindingCall, id: string): Promise<Metadata> {
  const secret = await readSecret(call.backend, id, false)
  return admitted(call, { rule: 'secret:get' }, secret, async () => ({
    id,
    name: secret.name,
    secretType: secret.secretType,
    type: secret.hasPayload ? secret.contentType : null,
    algorithm: secret.algorithm,
    bitLength: secret.bitLength,
    mode: secret.mode,
    expiration: secret.expiration === null ? null : zoned(secret.expiration),
    created: zoned(secret.created),
    updated: zoned(secret.updated),
    creator: secret.creatorId,
    asOf: asOf(call.backend),
  }))
}

/** Every Worker of the account can bind this class. Without `props` that name a credential, or a token, it is refused. */
export class KeyManager extends WorkerEntrypoint<Environment> implements KeyManagerBinding {
  ready(options?: LookUp): Promise<Answered<Ready>> {
    return this.#answering('ready', 'Readiness', options, async ({ backend, caller }) => {
      await backend.db.requireAnswers()
      return { project: caller.projectId, bound: backend.stalenessSeconds, version: 1 }
    })
  }

  payload(ref: string, options?: LookUp): Promise<Answered<Payload>> {
    return this.#answering('payload', PAYLOAD, options, async (call) => {
      const [read] = await readGroup(call, [ref], { bytes: MOST_ANSWER_BYTES })
      if (!read) throw fault('secretNotFound')
      return valueOf(read)
    })
  }

  payloadByName(name: string, options?: LookUp): Promise<Answered<Payload>> {
    return this.#answering('payloadByName', PAYLOAD, options, async (call) => readNamed(call, nameIn(name)))
  }

  payloads(refs: readonly string[], options?: LookUp): Promise<Answered<readonly Answered<Payload>[]>> {
    return this.#answering('payloads', PAYLOAD, options, async (call) => readAll(call, refs))
  }

  secret(ref: string, options?: LookUp): Promise<Answered<Metadata>> {
    return this.#answering('secret', METADATA, options, async (call) => readMetadata(call, idIn(ref)))
  }

  describeKey(ref: string, options?: LookUp): Promise<Answered<KeyView>> {
    return this.#answering('describeKey', KEY, options, (call) => describe(call, ref))
  }

  encrypt(ref: string, item: ItemOf<'encrypt'>, options?: LookUp): Promise<Answered<ResultOf<'encrypt'>>> {
    return this.#using('encrypt', ref, item, options)
  }

  decrypt(ref: string, item: ItemOf<'decrypt'>, options?: LookUp): Promise<Answered<ResultOf<'decrypt'>>> {
    return this.#using('decrypt', ref, item, options)
  }

  rewrap(ref: string, item: ItemOf<'rewrap'>, options?: LookUp): Promise<Answered<ResultOf<'rewrap'>>> {
    return this.#using('rewrap', ref, item, options)
  }

  datakey(ref: string, item: ItemOf<'datakey'>, options?: LookUp): Promise<Answered<ResultOf<'datakey'>>> {
    return this.#using('datakey', ref, item, options)
  }

  sign(ref: string, item: ItemOf<'sign'>, options?: LookUp): Promise<Answered<ResultOf<'sign'>>> {
    return this.#using('sign', ref, item, options)
  }

  verify(ref: string, item: ItemOf<'verify'>, options?: LookUp): Promise<Answered<ResultOf<'verify'>>> {
    return this.#using('verify', ref, item, options)
  }

  mac(ref: string, item: ItemOf<'mac'>, options?: LookUp): Promise<Answered<ResultOf<'mac'>>> {
    return this.#using('mac', ref, item, options)
  }

  batch<Name extends KeyUse>(ref: string, use: Name, items: readonly ItemOf<Name>[], options?: LookUp) {
    return this.#answering('batch', nameOfUse(use), options, (call) => useNamed(use).batch(call, ref, items))
  }

  #using<Name extends KeyUse>(use: Name, ref: string, item: ItemOf<Name>, options?: LookUp) {
    return this.#answering(use, boundUses[use].name, options, (call) => boundUses[use].once(call, ref, item))
  }

  #answering<Value>(
    method: keyof KeyManagerBinding,
    operation: string,
    options: unknown,
    look: (call: BindingCall) => Promise<Value>,
  ): Promise<Answered<Value>> {
    return answering({ env: this.env, props: this.ctx.props }, { method, operation, options }, look)
  }
}
