/**
 * T35: another Worker of the account binds the entrypoint `KeyManager` and looks up what it was not given. Every named
 * export of the Worker can be bound by every Worker of the account, with any `props`.
 */
import { DurableObject, env, WorkerEntrypoint } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Answered, KeyManagerBinding } from '../../src/client/contract.ts'
import type { Environment } from '../../src/config.ts'
import * as entrypoints from '../../src/index.ts'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { leaked } from '../support/canaries.ts'
import { adminPassword, call, database } from '../support/client.ts'
import { asAdmin, grantPath, roleId, unique } from '../support/identity.ts'
import { keystoneVariables } from '../support/keystone.ts'
import { owner, person, unscopedToken, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { storedKey } from '../support/transit.ts'

const bindings = env as unknown as Environment
const canary = `canary-${crypto.randomUUID()}`
/** 32 bytes, so that it is a key for encryption. */
const keyCanary = canary.slice(0, 32)
const keyName = unique('key in use')

let who: Person
let credential: string
let ref: string
let name: string
/** A key for encryption that nobody can read, and a ciphertext under it. */
let keyRef: string
let ciphertext: Uint8Array
const input = new TextEncoder().encode('input')

const outcome = (answer: Answered<unknown>) => (answer.ok ? 'ok' : `${answer.status} ${answer.failure}`)

/** The outcomes of every method of the entrypoint. */
async function everything(keys: KeyManagerBinding, options?: object): Promise<string[]> {
  const many = await keys.payloads([ref], options)
  return [
    outcome(await keys.ready(options)),
    outcome(await keys.payload(ref, options)),
    outcome(await keys.payloadByName(name, options)),
    many.ok ? many.value.map(outcome).join() : outcome(many),
    outcome(await keys.secret(ref, options)),
    ...(await everyUse(keys, options)),
  ]
}

/** The outcomes of every use of a key. Of those that are admitted, some are not for this key. */
async function everyUse(keys: KeyManagerBinding, options?: object): Promise<string[]> {
  const answers = [
    await keys.describeKey(keyRef, options),
    await keys.encrypt(keyRef, { plaintext: input }, options),
    await keys.decrypt(keyRef, { ciphertext }, options),
    await keys.rewrap(keyRef, { ciphertext }, options),
    await keys.datakey(keyRef, {}, options),
    await keys.batch(keyRef, 'encrypt', [{ plaintext: input }], options),
    await keys.sign(keyRef, { input }, options),
    await keys.verify(keyRef, { input, signature: input }, options),
    await keys.mac(keyRef, { input, algorithm: 'HS256' }, options),
  ]
  return answers.map(outcome).map((one) => (one === '409 keyUsage' ? 'ok' : one))
}
const uses = (text: string): string[] => Array.from({ length: 9 }, () => text)
const all = (text: string) => [text, text, text, text, text, ...uses(text)]

async function secretOf(by: Person, members: object = {}): Promise<string> {
  const json = { payload: canary, payload_content_type: 'text/plain', ...members }
  return (await call('POST', '/v1/secrets', { token: by.token, json })).json.secret_ref
}

beforeAll(async () => {
  who = await owner()
  name = unique('name')
  ref = await secretOf(who, { name })
  credential = (await edgeCredential(who)).id
  keyRef = await storedKey(who, new TextEncoder().encode(keyCanary), {
    extractable: false,
    name: keyName,
  })
  const sealed = await bindingWith({ credential }).encrypt(keyRef, { plaintext: input })
  if (sealed.ok) ({ ciphertext } = sealed.value)
})

describe('T35: who a binding is', () => {
  it('T35: the credential that the tests use opens the secret by every method', async () => {
    expect(await everything(bindingWith({ credential }))).toEqual(all('ok'))
  })

  it.each([[{}], [undefined], [null], [{ application: 'shop' }], [{ secrets: [] }]])(
    'T35: a binding with the props %j is nobody',
    async (props) => {
      expect(await everything(bindingWith(props))).toEqual(all('401 unauthenticated'))
    },
  )

  it.each([
    ['a text', 'admin'],
    ['a list', []],
    ['rights of their own', { credential: 'id', roles: ['admin'] }],
    ['a project of their own', { credential: 'id', project: 'id' }],
    ['a misspelt list', { credential: 'id', secret: ['name'] }],
    ['a text in place of a list', { credential: 'id', secrets: 'name' }],
    ['a number as credential', { credential: 1 }],
    ['no credential', { credential: '' }],
    ['a line break in the application', { application: 'a\nb' }],
    ['an application that is too long', { application: 'a'.repeat(65) }],
  ])('T35: props that are %s are refused', async (_, props) => {
    const given = Object(props).credential === 'id' ? { ...Object(props), credential } : props
    expect(await everything(bindingWith(given))).toEqual(all('400 bindingProps'))
  })

  it('T35: a credential is not accepted unless EDGE_CREDENTIALS is on, and a token is', async () => {
    for (const given of ['', 'off', undefined]) {
      const off = bindingWith({ credential }, { EDGE_CREDENTIALS: given })
      expect(await everything(off)).toEqual(all('403 edgeCredentialsOff'))
      expect(await everything(off, { token: who.token })).toEqual(all('ok'))
    }
  })

  it('T35: EDGE_CREDENTIALS needs the embedded identity, and any other value is a bad configuration', async () => {
    const keystone = bindingWith({ credential }, { ...keystoneVariables, EDGE_CREDENTIALS: 'on' })
    expect(await everything(keystone)).toEqual(all('503 misconfigured'))
    expect(await everything(bindingWith({ credential }, { EDGE_CREDENTIALS: 'true' }))).toEqual(
      all('503 misconfigured'),
    )
  })

  it('T35: an id of nothing, of a user, of a project and of a secret is nobody', async () => {
    for (const id of ['0'.repeat(32), who.userId, who.projectId, idOf(ref), "' or 1=1 --"]) {
      expect(await everything(bindingWith({ credential: id }))).toEqual(all('401 unauthenticated'))
    }
  })

  it.each([null, '', 'an edge', 'Edge', 'edges', 'edge ', ' edge', 'knowledge: edge'])(
    'T35: a credential with the description %j was not made for bindings',
    async (description) => {
      const { id } = await edgeCredential(who, { description })
      expect(await everything(bindingWith({ credential: id }))).toEqual(all('401 unauthenticated'))
    },
  )

  it('T35: the description may say what the credential is for', async () => {
    const { id } = await edgeCredential(who, { description: 'edge: the shop' })
    expect(await everything(bindingWith({ credential: id }))).toEqual(all('ok'))
  })

  it.each(['', 'nonsense', 'a.b.c'])(
    'T35: the token %j opens nothing, though the props name a credential',
    async (token) => {
      const answers = await everything(bindingWith({ credential }), { token })
      expect(answers).toEqual(all(token === '' ? '400 argument' : '401 unauthenticated'))
    },
  )

  it('T35: an unscoped token opens nothing', async () => {
    expect(await everything(bindingWith({ credential }), { token: await unscopedToken() })).toEqual(
      all('401 projectRequired'),
    )
  })
})

describe('T35: what ends a binding', () => {
  const ends: [string, (of: Person, path: string) => Promise<unknown>][] = [
    ['deleted', (of, path) => call('DELETE', `/identity/v3${path}`, { token: of.token })],
    ['of a disabled user', (of) => asAdmin('PATCH', `/users/${of.userId}`, { user: { enabled: false } })],
    ['of a deleted user', (of) => asAdmin('DELETE', `/users/${of.userId}`)],
    ['of a disabled project', (of) => asAdmin('PATCH', `/projects/${of.projectId}`, { project: { enabled: false } })],
    ['without its role', async (of) => asAdmin('DELETE', grantPath(of.projectId, of.userId, await roleId('creator')))],
  ]
  it.each(ends)('T35: a binding to a credential that is %s is nobody from the next call on', async (_, end) => {
    const other = await person(['creator'])
    const made = await edgeCredential(other)
    const keys = bindingWith({ credential: made.id })
    expect(outcome(await keys.ready())).toBe('ok')
    await end(other, made.path)
    expect(outcome(await keys.ready())).toBe('401 unauthenticated')
  })

  it('T35: a binding to an expired credential is nobody', async () => {
    const expires = new Date(Date.now() + 60_000).toISOString().slice(0, -1)
    const { id } = await edgeCredential(who, { expires_at: expires })
    const keys = bindingWith({ credential: id })
    expect(outcome(await keys.ready())).toBe('ok')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    const later = await keys.ready()
    vi.useRealTimers()
    expect(outcome(later)).toBe('401 unauthenticated')
  })

  it('T35: a row of a credential that was changed in the database opens nothing', async () => {
    const { id } = await edgeCredential(who, { description: 'a backup' })
    await database.prepare("update application_credentials set description = 'edge' where id = ?").bind(id).run()
    expect(outcome(await bindingWith({ credential: id }).ready())).toBe('401 unauthenticated')
  })

  it('T35: a credential that was moved to another project in the database finds no name there', async () => {
    const stranger = await owner()
    const { id } = await edgeCredential(stranger)
    const move = 'update application_credentials set project_id = ? where id = ?'
    await database.prepare(move).bind(who.projectId, id).run()
    expect(outcome(await bindingWith({ credential: id }).payloadByName(name))).toBe('401 unauthenticated')
    await database.prepare(move).bind(stranger.projectId, id).run()
    expect(outcome(await bindingWith({ credential: id }).payloadByName(name))).toBe('404 secretNotFound')
  })
})

describe('T35: what a binding may look up', () => {
  it('T35: a credential of another project opens nothing of this one', async () => {
    const stranger = await owner()
    const { id } = await edgeCredential(stranger)
    expect(await everything(bindingWith({ credential: id }))).toEqual([
      'ok',
      '403 notPermitted',
      '404 secretNotFound',
      '403 notPermitted',
      '403 notPermitted',
      ...uses('403 notPermitted'),
    ])
  })

  it('T35: the rules decide by the roles of the credential, and not by all those of its user', async () => {
    const auditor = await person(['audit', 'creator'], { projectId: who.projectId })
    const { id } = await edgeCredential(auditor, { roles: [{ name: 'audit' }] })
    expect(await everything(bindingWith({ credential: id }))).toEqual([
      'ok',
      '403 notPermitted',
      '404 secretNotFound',
      '403 notPermitted',
      'ok',
      // Who reads metadata is told about a key, and does not use it.
      'ok',
      ...uses('403 notPermitted').slice(1),
    ])
  })

  it('T35: a key that cannot be extracted leaves by no method, and each refusal is recorded', async () => {
    const keyName = unique('key')
    const key = await storedKey(who, crypto.getRandomValues(new Uint8Array(32)), { extractable: false, name: keyName })
    const keys = bindingWith({ credential })
    expect(outcome(await keys.payload(key))).toBe('403 notExtractable')
    expect(outcome(await keys.payloadByName(keyName))).toBe('403 notExtractable')
    const many = await keys.payloads([key, ref])
    expect(many.ok && many.value.map(outcome)).toEqual(['403 notExtractable', 'ok'])
    expect(outcome(await keys.secret(key))).toBe('ok')
    const found = await database
      .prepare("select count(*) as n from audit_events where target_id = ? and outcome = 'failure'")
      .bind(idOf(key))
      .first('n')
    expect(found).toBe(1)
  })

  it('T35: a refusal is an event in the log of the project that has the secret, once in a minute', async () => {
    const stranger = await owner()
    const made = await edgeCredential(stranger)
    const keys = bindingWith({ credential: made.id, application: 'thief' })
    for (let time = 0; time < 3; time += 1) await keys.payload(ref)
    const { results } = await database
      .prepare("select * from audit_events where initiator_id = ? and outcome = 'failure'")
      .bind(stranger.userId)
      .all()
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({
      project_id: who.projectId,
      target_id: idOf(ref),
      action: 'read',
      reason: '403',
      rule: 'secret:decrypt',
      initiator_application: 'thief',
    })
  })

  it('T35: a list in the props admits its ids and names, and no other secret', async () => {
    const other = await secretOf(who, { name: unique('other') })
    for (const secrets of [
      [name, keyName],
      [idOf(ref), idOf(keyRef)],
      ['nothing', name, keyName],
    ]) {
      const keys = bindingWith({ credential, secrets })
      expect(await everything(keys)).toEqual(all('ok'))
      expect(outcome(await keys.payload(other))).toBe('403 notPermitted')
      expect(outcome(await keys.secret(other))).toBe('403 notPermitted')
      const many = await keys.payloads([ref, other])
      expect(many.ok && many.value.map(outcome)).toEqual(['ok', '403 notPermitted'])
    }
    expect(await everything(bindingWith({ credential, secrets: [] }))).toEqual([
      'ok',
      '403 notPermitted',
      '404 secretNotFound',
      '403 notPermitted',
      '403 notPermitted',
      ...uses('403 notPermitted'),
    ])
  })

  it('T35: a list in the props gives nothing to a caller who may not read, and narrows a token as well', async () => {
    const stranger = await owner()
    const { id } = await edgeCredential(stranger)
    expect(outcome(await bindingWith({ credential: id, secrets: [idOf(ref)] }).payload(ref))).toBe('403 notPermitted')
    const narrowed = bindingWith({ secrets: ['other'] })
    expect(outcome(await narrowed.payload(ref, { token: who.token }))).toBe('403 notPermitted')
  })
})

describe('T35: arguments', () => {
  const strange: unknown[] = [undefined, null, 1, true, {}, [], () => 'x', new Uint8Array(4), 'x'.repeat(10_000), '']
  it('T35: no argument makes a method throw or answer with a status of 500', async () => {
    const keys = bindingWith({ credential })
    for (const given of strange as never[]) {
      const answers = [
        await keys.payload(given),
        await keys.payloadByName(given),
        await keys.secret(given),
        await keys.payloads(given),
        await keys.payloads([given]),
        await keys.payload(ref, given),
        await keys.payload(ref, { token: given }),
        await keys.payload(ref, { fresh: given }),
        await keys.payload(ref, { maxAge: given }),
        await keys.payload(ref, { since: given }),
        await keys.encrypt(given, { plaintext: input }),
        await keys.describeKey(given),
        await keys.batch<'encrypt'>(keyRef, given, [{ plaintext: input }]),
        await keys.batch(keyRef, 'encrypt', given),
        await keys.batch(keyRef, 'encrypt', [given]),
        await keys.encrypt(keyRef, given),
        await keys.encrypt(keyRef, { plaintext: given }),
        await keys.encrypt(keyRef, { plaintext: input, context: given }),
        await keys.encrypt(keyRef, { plaintext: input, algorithm: given }),
        await keys.encrypt(keyRef, { plaintext: input, keyVersion: given }),
        await keys.encrypt(keyRef, { plaintext: input, nonce: given } as never),
        await keys.datakey(keyRef, { bits: given }),
        await keys.mac(keyRef, { input, algorithm: given }),
        await keys.sign(keyRef, { input, format: given }),
      ]
      expect(answers.filter((one) => !one.ok && one.status >= 500)).toEqual([])
    }
  })

  it('T35: an unexpected failure is data without details, and is logged', async () => {
    const errors: string[] = []
    const spy = vi.spyOn(console, 'error').mockImplementation((line) => void errors.push(JSON.stringify(line)))
    const prepare = () => {
      throw new Error(canary)
    }
    const DB = { withSession: () => ({ prepare, getBookmark: () => null }) }
    const answers = await everything(bindingWith({ credential }, { DB }))
    spy.mockRestore()
    expect(answers).toEqual(all('500 unexpected'))
    expect(errors).toHaveLength(all('').length)
    expect(errors.join()).not.toContain(canary)
  })
})

describe('T13: canaries at the entrypoint', () => {
  it('T13: no secret value is in a refusal of the entrypoint, in its metadata or in the log', async () => {
    const lines: string[] = []
    for (const level of ['log', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((...parts) => void lines.push(parts.map(String).join(' ')))
    }
    const made = await edgeCredential(who)
    const canaries = { payload: canary, token: who.token, secret: made.secret, password: adminPassword }
    const options = { LOG: 'requests', AUDIT_READS: 'strict' }
    const keys = bindingWith({ credential: made.id }, options)
    const stranger = bindingWith({ credential: (await edgeCredential(await owner())).id }, options)
    const answers = [
      await keys.secret(ref, { token: who.token }),
      await stranger.payload(ref),
      await stranger.payload(canary),
      await stranger.payloadByName(canary),
      await stranger.payload(ref, { token: `${who.token}x` }),
      await bindingWith({ [canary.replaceAll('-', '')]: 1 }, options).ready(),
      await bindingWith({ credential: made.secret }, options).ready(),
      await keys.ready({ since: canary.repeat(9) }),
      await keys.describeKey(keyRef),
      await keys.encrypt(keyRef, { plaintext: new TextEncoder().encode(canary) }),
      await keys.decrypt(keyRef, { ciphertext: new TextEncoder().encode(canary) }),
      await keys.encrypt(keyRef, { plaintext: input, algorithm: canary as never }),
      await keys.batch(keyRef, canary as 'encrypt', [{ plaintext: input }]),
      await stranger.encrypt(keyRef, { plaintext: new TextEncoder().encode(canary) }),
    ]
    expect((await keys.payload(ref)).ok).toBe(true)
    await vi.waitFor(() => expect(lines.filter((line) => line.includes('"request"')).length).toBeGreaterThan(14))
    vi.restoreAllMocks()
    expect(answers.flatMap((one) => leaked(canaries, JSON.stringify(one)))).toEqual([])
    expect(lines.flatMap((line) => leaked(canaries, line))).toEqual([])
  })
})

describe('T35: the entrypoints', () => {
  it('T35: the Worker exports three classes, and each checks who calls it', () => {
    const { default: handlers, ...classes } = entrypoints
    expect(Object.keys(handlers).toSorted()).toEqual(['fetch', 'scheduled'])
    expect(Object.keys(classes).toSorted()).toEqual(['KeyManager', 'OrderRunner', 'ProjectObject'])
    expect(classes.KeyManager.prototype).toBeInstanceOf(WorkerEntrypoint)
    expect(classes.ProjectObject.prototype).toBeInstanceOf(DurableObject)
  })

  it('T35: KeyManager has the methods of its contract and no other', () => {
    expect(Object.getOwnPropertyNames(entrypoints.KeyManager.prototype).toSorted()).toEqual([
      'batch',
      'constructor',
      'datakey',
      'decrypt',
      'describeKey',
      'encrypt',
      'mac',
      'payload',
      'payloadByName',
      'payloads',
      'ready',
      'rewrap',
      'secret',
      'sign',
      'verify',
    ])
    expect(bindings).not.toHaveProperty('KEYS')
  })
})
