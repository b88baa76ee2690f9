/** The two ways to the service, with the same methods: the service binding, and HTTP. */
import type { components } from './api.ts'
import type { Answered, KeyManagerBinding, LookUp, Metadata, Payload, Ready, Refused } from './contract.ts'
import { onEach, type Answer, type Fetch, type Signal } from './runtime.ts'

/** Asks at a path below `/v1/secrets`: `POST` with a body of JSON, and `GET` without. */
export type AskAt = <Value>(
  path: string,
  look: LookUp,
  signal: Signal,
  read: (answer: Answer) => Promise<Value>,
  body?: string,
) => Promise<Answered<Value>>

/** {@link KeyManagerBinding} with a signal. It rejects only if the service could not be asked. */
export interface Transport {
  /** What `portcullis/client/keys` asks through. */
  readonly through: { readonly binding: KeyManagerBinding } | { readonly askAt: AskAt }
  ready(look: LookUp, signal: Signal): Promise<Answered<Ready>>
  payload(ref: string, look: LookUp, signal: Signal): Promise<Answered<Payload>>
  payloadByName(name: string, look: LookUp, signal: Signal): Promise<Answered<Payload>>
  payloads(refs: readonly string[], look: LookUp, signal: Signal): Promise<Answered<readonly Answered<Payload>[]>>
  secret(ref: string, look: LookUp, signal: Signal): Promise<Answered<Metadata>>
}

/** A call through the binding cannot be cancelled; who waits for it is released by the deadline. */
export const throughBinding = (binding: KeyManagerBinding): Transport => ({
  through: { binding },
  ready: (look) => binding.ready(look),
  payload: (ref, look) => binding.payload(ref, look),
  payloadByName: (name, look) => binding.payloadByName(name, look),
  payloads: (refs, look) => binding.payloads(refs, look),
  secret: (ref, look) => binding.secret(ref, look),
})

/** Statuses after which a call is repeated: the service could not be asked, is busy, or does not answer now. */
export const isPassing = ({ status }: Refused): boolean => [0, 429, 502, 503].includes(status)

/** The secrets of one name that are tried, the newest first. */
const MOST_CANDIDATES = 10

/** The service's name of a failure with this status, as far as it follows from it. */
export const failureName = (status: number): string => names[status] ?? 'unexpected'

const names: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'notPermitted',
  404: 'secretNotFound',
  429: 'tooManyRequests',
}

type Schemas = components['schemas']
/** The representation of a secret. */
type View = Schemas['Secret']

/** The members of the JSON that are read here, of which an answer has some. */
type Members = Partial<
  Pick<Schemas['Failure'], 'description' | 'title'> &
    Pick<Schemas['IdentityFailure'], 'error'> &
    Pick<Schemas['OneIdentityToken'], 'token'> &
    Pick<Schemas['Secrets'], 'secrets'>
>

/** Parses JSON; what is no JSON has no members. */
function membersOf(text: string): Members {
  try {
    return Object(JSON.parse(text)) as Members
  } catch {
    return {}
  }
}

/** Seconds in `Retry-After`, which is a number or a date; undefined without the header. */
function secondsIn(header: string | null): number | undefined {
  if (!header) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

/** The failure that a response says, in the form of the Key Manager or of Keystone. */
export async function failureOf(answer: Answer): Promise<Refused> {
  const { status, headers } = answer
  const { description, error, title } = membersOf(await answer.text())
  const retryAfter = secondsIn(headers.get('Retry-After'))
  return {
    ok: false,
    status,
    failure: failureName(status),
    description: description ?? error?.message ?? title ?? `the service answered with status ${status}`,
    ...(retryAfter !== undefined && { retryAfter }),
  }
}

/** The base URL of Keystone's v3 API. */
export const identityOf = (url: string): string => url.replace(/\/*$/, '').replace(/(\/v3)?$/, '/v3')

export const idOf = (ref: string): string => encodeURIComponent(ref.slice(ref.lastIndexOf('/') + 1))

/** A stored time with its zone, which the API leaves out. */
const zoned = (time: string): string => `${time}Z`

const typeOf = ({ content_types: types }: View): string | null => types?.default ?? null

const metadataOf = (view: View, asOf: string): Metadata => ({
  id: idOf(view.secret_ref),
  name: view.name,
  secretType: view.secret_type,
  type: typeOf(view),
  algorithm: view.algorithm,
  bitLength: view.bit_length,
  mode: view.mode,
  expiration: view.expiration === null ? null : zoned(view.expiration),
  created: zoned(view.created),
  updated: zoned(view.updated),
  creator: view.creator_id,
  asOf,
})

/** Returns how a URL is asked: with `GET`, or with `POST` if there is a body. */
function asking(identity: string, fetch: Fetch) {
  return async <Value>(
    url: string,
    { fresh, maxAge, since, token }: LookUp,
    signal: Signal,
    read: (answer: Answer, asOf: string) => Promise<Value> | Value,
    accept = 'application/json',
    body?: string,
  ): Promise<Answered<Value>> => {
    const age = fresh ? 'no-cache' : maxAge === undefined ? undefined : `max-age=${maxAge}`
    const headers = {
      Accept: accept,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && {
        'X-Auth-Token': token,
        ...(url.startsWith(identity) && { 'X-Subject-Token': token }),
      }),
      ...(age !== undefined && { 'Cache-Control': age }),
      ...(since !== undefined && { 'X-D1-Bookmark': since }),
    }
    const sent = Date.now()
    const sending = body === undefined ? { method: 'GET' } : { method: 'POST', body }
    const answer = await fetch(url, { ...sending, headers, redirect: 'manual', signal: signal as never })
    if (answer.status !== 200 && answer.status !== 204) return failureOf(answer)
    const asOf = new Date(sent - Number(answer.headers.get('Age') ?? 0) * 1000).toISOString()
    return { ok: true, value: await read(answer, asOf) }
  }
}

/**
 * HTTP. `base` is the URL of the service without `/v1`. Only the ids in hrefs are used, so that no href of another host
 * is sent a token.
 */
export function overHttp(base: string, identity: string, fetch: Fetch): Transport {
  const ask = asking(identity, fetch)
  const secrets = `${base}/v1/secrets`
  const json = async (answer: Answer) => membersOf(await answer.text())
  const transport: Transport = {
    through: {
      askAt: (path, look, signal, read, body) =>
        ask(`${secrets}/${path}`, look, signal, read, 'application/json', body),
    },
    async ready(look, signal) {
      const found = await ask(`${identity}/auth/tokens`, look, signal, json)
      const serves = found.ok ? await ask(`${base}/v1`, look, signal, () => null) : found
      if (!found.ok || !serves.ok) return serves as Refused
      return { ok: true, value: { project: String(found.value.token?.project?.id), bound: null, version: 1 } }
    },
    payload(ref, look, signal) {
      const id = idOf(ref)
      const read = async (answer: Answer, asOf: string): Promise<Payload> => ({
        bytes: new Uint8Array(await answer.arrayBuffer()),
        type: (answer.headers.get('Content-Type') ?? 'application/octet-stream').replace(/;.*/s, ''),
        id,
        asOf,
      })
      return ask(`${secrets}/${id}/payload`, look, signal, read, '*/*')
    },
    async payloadByName(name, look, signal) {
      const query = `name=${encodeURIComponent(name)}&sort=created:desc&limit=${MOST_CANDIDATES}`
      const listed = await ask(`${secrets}?${query}`, look, signal, json)
      if (!listed.ok) return listed
      for (const view of listed.value.secrets ?? []) {
        if (typeOf(view) === null) continue
        const found = await transport.payload(view.secret_ref, look, signal)
        if (found.ok || (found.status !== 403 && found.status !== 404)) return found
      }
      return { ok: false, status: 404, failure: 'secretNotFound', description: 'Secret not found.' }
    },
    async payloads(refs, look, signal) {
      const value = await onEach(refs, (ref) => transport.payload(ref, look, signal))
      // What does not depend on the secret is the failure of the whole call.
      return (
        value.find((one): one is Refused => !one.ok && (one.status === 401 || isPassing(one))) ?? { ok: true, value }
      )
    },
    secret: (ref, look, signal) =>
      ask(`${secrets}/${idOf(ref)}`, look, signal, async (answer, asOf) =>
        metadataOf((await json(answer)) as unknown as View, asOf),
      ),
  }
  return transport
}
