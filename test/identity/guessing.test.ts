/** Guessing is slowed by account and network, costs no hash while it is refused, and shuts no owner out. */
import { exports } from 'cloudflare:workers'
import { eq, getTableColumns } from 'drizzle-orm'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { networkOf } from '../../src/access/addresses.ts'
import { isOutdated } from '../../src/crypto/password.ts'
import { DEPLOYMENT } from '../../src/state/audit/events.ts'
import {
  admit,
  recordRefusal,
  recordSuccess,
  refusedUntilNow,
  type Attempt,
} from '../../src/state/identity/login-attempts.ts'
import { build, select } from '../../src/state/database/prepared.ts'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { identityUsers } from '../../src/state/schema/identity.ts'
import { backendAt } from '../support/backend.ts'
import { base, database, isolate, type Answer } from '../support/client.ts'
import {
  authenticate,
  byCredential,
  byPassword,
  create,
  domain,
  identity,
  someAddress,
  unique,
} from '../support/identity.ts'
import { person, type Account } from '../support/people.ts'

let owner: Account
beforeAll(async () => {
  owner = await person(['creator'])
})
afterEach(() => void vi.restoreAllMocks())

/** What the page on configuration promises. */
const FREE_OF_ACCOUNT_AND_NETWORK = 5
const FREE_OF_NETWORK = 30
const FREE_OF_ACCOUNT = 50
const MOST_WAIT_MILLISECONDS = 900_000
const KEPT_MILLISECONDS = 3_600_000

/** More wrong attempts than are waited for. */
const MANY = 24
const times = <Value>(count: number, make: (at: number) => Value) => Array.from({ length: count }, (_, at) => make(at))
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)

async function user(): Promise<{ readonly id: string; readonly name: string; readonly password: string }> {
  const [name, secret] = [unique('user'), unique('password')]
  return { ...(await create('user', { name, password: secret })), password: secret }
}

/** Wrong attempts, in parallel, until they are refused. */
async function guess(attempt: () => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(times(MANY, attempt))
}

/** By how much a body is late: more than the first refusal. */
const LATE_MILLISECONDS = 1_500

/** A second, twice as long each time, and the bound. */
const DOUBLED = [...times(10, (at) => 1_000 * 2 ** at), ...times(50, () => MOST_WAIT_MILLISECONDS)]

const NOW = 1_800_000_000_000
const scope = () => backendAt('2027-01-15T08:00:00.000000')
const attemptOf = (account: string, network: string) => ({ account, network, label: account })

describe('the count of attempts', () => {
  /** The first times for which attempts are refused, where each that is refused waits. */
  async function refusals(count: number, attempt: () => Attempt): Promise<number[]> {
    const waits: number[] = []
    let now = NOW
    while (waits.length < count) {
      const admission = await admit(await scope(), attempt(), now)
      if (admission.admitted) continue
      waits.push(admission.refusedMilliseconds)
      now += admission.refusedMilliseconds
    }
    return waits
  }

  it('attempts are refused for a time that doubles with each failure, up to a bound', async () => {
    const attempt = attemptOf(unique('account'), unique('network'))
    expect(await refusals(DOUBLED.length, () => attempt)).toEqual(DOUBLED)
  })

  it('attempts at many accounts refuse their network for a time that doubles', async () => {
    const network = unique('network')
    expect(await refusals(3, () => attemptOf(unique('account'), network))).toEqual(DOUBLED.slice(0, 3))
  })

  it('of parallel attempts through several isolates exactly as many are admitted as are free', async () => {
    const attempt = attemptOf(unique('account'), unique('network'))
    const admissions = await Promise.all(times(MANY, async () => admit(await scope(), attempt, NOW)))
    expect(admissions.filter(({ admitted }) => admitted)).toHaveLength(FREE_OF_ACCOUNT_AND_NETWORK)
  })

  it('attempts at many accounts are refused by their network', async () => {
    const network = unique('network')
    const admissions: boolean[] = []
    for (let at = 0; at < FREE_OF_NETWORK + 5; at += 1) {
      admissions.push((await admit(await scope(), attemptOf(unique('account'), network), NOW)).admitted)
    }
    expect(admissions).toEqual(times(FREE_OF_NETWORK + 5, (at) => at < FREE_OF_NETWORK))
  })

  it('attempts from many networks make those at their account wait, and refuse none', async () => {
    const account = unique('account')
    const waits: number[] = []
    for (let at = 0; at < FREE_OF_ACCOUNT + 40; at += 1) {
      const admission = await admit(await scope(), attemptOf(account, unique('network')), NOW)
      waits.push(admission.admitted ? admission.waitMilliseconds : Number.NaN)
    }
    expect(waits.slice(0, FREE_OF_ACCOUNT).every((wait) => wait === 0)).toBe(true)
    expect(waits[FREE_OF_ACCOUNT]).toBe(100)
    expect(waits.at(-1)).toBe(2_000)
  })

  it('a success ends the count of its account and network, and takes back no other failure of the network', async () => {
    const network = unique('network')
    const [own, others] = [attemptOf(unique('account'), network), () => attemptOf(unique('account'), network)]
    for (let at = 0; at < FREE_OF_NETWORK - 1; at += 1) await admit(await scope(), others(), NOW)
    for (let round = 0; round < 3; round += 1) {
      expect((await admit(await scope(), own, NOW)).admitted).toBe(true)
      await recordSuccess(await scope(), own)
    }
    expect((await admit(await scope(), others(), NOW)).admitted).toBe(true)
    expect((await admit(await scope(), others(), NOW)).admitted).toBe(false)
  })

  it('counts end with their time, and are deleted by later attempts', async () => {
    const attempt = attemptOf(unique('account'), unique('network'))
    for (let at = 0; at < MANY; at += 1) await admit(await scope(), attempt, NOW)
    expect((await admit(await scope(), attempt, NOW)).admitted).toBe(false)
    const again: boolean[] = []
    for (let at = 0; at <= FREE_OF_ACCOUNT_AND_NETWORK; at += 1)
      again.push((await admit(await scope(), attempt, NOW + KEPT_MILLISECONDS)).admitted)
    expect(again).toEqual(times(FREE_OF_ACCOUNT_AND_NETWORK + 1, (at) => at < FREE_OF_ACCOUNT_AND_NETWORK))
    const rows = async () => Number(await database.prepare('select count(*) as n from login_attempts').first('n'))
    const later = NOW + 3 * KEPT_MILLISECONDS
    for (let at = 0; at < 60; at += 1) await admit(await scope(), attempt, later + at * MOST_WAIT_MILLISECONDS)
    expect(await rows()).toBeLessThan(20)
  })
})

describe('guessing a password', () => {
  it('wrong attempts are refused with 429 and Retry-After, the right one as well, and another address logs in', async () => {
    const one = await user()
    const address = someAddress()
    const answers = await guess(() => byPassword(one.name, 'wrong', undefined, address))
    expect(new Set(statuses(answers))).toEqual(new Set([401, 429]))
    expect(statuses(answers).filter((status) => status === 401).length).toBeLessThanOrEqual(
      FREE_OF_ACCOUNT_AND_NETWORK + 3,
    )
    const refused = await byPassword(one.name, one.password, undefined, address)
    expect([refused.status, refused.json.error]).toEqual([
      429,
      { code: 429, title: 'Too Many Requests', message: 'Too many log-ins have failed. Try again later.' },
    ])
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThanOrEqual(1)
    expect(Number(refused.headers.get('Retry-After'))).toBeLessThanOrEqual(MOST_WAIT_MILLISECONDS / 1000)
    expect(refused.headers.has('X-Subject-Token')).toBe(false)
    expect((await byPassword(one.name, one.password)).status).toBe(201)
  })

  it('the name in another case, the id, and other addresses of one IPv6 network are no way around', async () => {
    const one = await user()
    const network = '2001:db8:7:9'
    let host = 0
    const from = () => `${network}::${(host += 1).toString(16)}`
    await guess(() => byPassword(one.name, 'wrong', undefined, from()))
    const byId = { methods: ['password'], password: { user: { id: one.id, password: one.password } } }
    expect((await byPassword(one.name.toUpperCase(), one.password, undefined, from())).status).toBe(429)
    expect((await authenticate(byId, undefined, from())).status).toBe(429)
    expect((await authenticate(byId, undefined, '2001:db8:7:a::1')).status).toBe(201)
  })

  it('an unknown name is refused as a known one is', async () => {
    const [name, address] = [unique('nobody'), someAddress()]
    await guess(() => byPassword(name, 'wrong', undefined, address))
    expect((await byPassword(name.toUpperCase(), 'wrong', undefined, address)).status).toBe(429)
  })

  it('the secret of an application credential, by id or name, is guarded like a password', async () => {
    const path = `/users/${owner.userId}/application_credentials`
    const json = { application_credential: { name: unique('credential') } }
    const { id, name, secret } = (await identity('POST', path, { token: owner.token, json })).json
      .application_credential
    const address = someAddress()
    await guess(() => byCredential({ id, secret: 'wrong' }, undefined, address))
    expect((await byCredential({ id, secret }, undefined, address)).status).toBe(429)
    const named = { name, secret, user: { name: owner.name, domain } }
    expect((await byCredential(named, undefined, address)).status).toBe(429)
    expect((await byCredential(named)).status).toBe(201)
  })

  it('whoever has a token of a user cannot guess the password by changing it', async () => {
    const one = await person(['creator'])
    const headers = { 'CF-Connecting-IP': someAddress() }
    const change = (original_password: string) =>
      identity('POST', `/users/${one.userId}/password`, {
        token: one.token,
        json: { user: { original_password, password: 'another password' } },
        headers,
      })
    await guess(() => change('wrong'))
    expect((await change(one.password)).status).toBe(429)
    expect((await byPassword(one.name, one.password)).status).toBe(201)
  })

  it('parallel log-ins with the right password from one address all succeed', async () => {
    const one = await user()
    const address = someAddress()
    expect(
      new Set(statuses(await Promise.all(times(12, () => byPassword(one.name, one.password, undefined, address))))),
    ).toEqual(new Set([201]))
  })

  it('an attempt counts from when it is made, however late the body of its request comes', async () => {
    const one = await user()
    const address = someAddress()
    for (let at = 1; at < FREE_OF_ACCOUNT_AND_NETWORK; at += 1) await byPassword(one.name, 'wrong', undefined, address)
    const password = { user: { name: one.name, domain, password: 'wrong' } }
    const sent = JSON.stringify({ auth: { identity: { methods: ['password'], password } } })
    const body = new ReadableStream({
      async start(controller) {
        await scheduler.wait(LATE_MILLISECONDS)
        controller.enqueue(new TextEncoder().encode(sent))
        controller.close()
      },
    })
    const headers = { 'CF-Connecting-IP': address, 'Content-Type': 'application/json' }
    const { default: worker } = exports as unknown as { default: Fetcher }
    const begun = Date.now()
    const answer = await worker.fetch(`${base}/identity/v3/auth/tokens`, { method: 'POST', headers, body })
    expect(answer.status).toBe(401)
    const attempt = attemptOf(`user ${one.id}`, networkOf(address))
    const until = await refusedUntilNow(await scope(), attempt)
    expect(until).toBeGreaterThanOrEqual(begun + LATE_MILLISECONDS + 1_000)
  })

  it('a refused attempt costs no hash', async () => {
    const one = await user()
    const address = someAddress()
    await guess(() => byPassword(one.name, 'wrong', undefined, address))
    const deriving = vi.spyOn(crypto.subtle, 'deriveBits')
    const send = isolate()
    const user_ = { name: one.name, domain, password: one.password }
    const json = { auth: { identity: { methods: ['password'], password: { user: user_ } } } }
    const headers = { 'CF-Connecting-IP': address }
    expect((await send('POST', '/identity/v3/auth/tokens', { json, headers })).status).toBe(429)
    expect(deriving).not.toHaveBeenCalled()
    const elsewhere = { 'CF-Connecting-IP': someAddress() }
    expect((await send('POST', '/identity/v3/auth/tokens', { json, headers: elsewhere })).status).toBe(201)
    expect(deriving).toHaveBeenCalled()
  })
})

describe('the audit log of log-ins', () => {
  interface Event {
    readonly outcome: string
    readonly reason: string | null
    readonly target_id: string
    readonly initiator_address: string | null
  }
  const events = async (address: string) => {
    const found = await database
      .prepare(
        "select outcome, reason, target_id, initiator_address from audit_events where action = 'authenticate' and project_id = ? and initiator_address = ? order by seq",
      )
      .bind(DEPLOYMENT, address)
      .all<Event>()
    return found.results
  }

  it('a log-in and a wrong password are events with user and address, and so is a refusal', async () => {
    const one = await user()
    const address = someAddress()
    await byPassword(one.name, one.password, undefined, address)
    const guesses = await guess(() => byPassword(one.name, 'a wrong password', undefined, address))
    await byPassword(one.name, 'a wrong password', undefined, address)
    const found = await events(address)
    expect(found[0]).toEqual({ outcome: 'success', reason: null, target_id: one.id, initiator_address: address })
    const wrong = statuses(guesses).filter((status) => status === 401).length
    expect(found.filter(({ reason }) => reason === '401')).toHaveLength(wrong)
    expect(found.filter(({ reason }) => reason === '429').length).toBeGreaterThanOrEqual(1)
    expect(new Set(found.map(({ target_id: id }) => id))).toEqual(new Set([one.id]))
  })

  it('refused attempts are one event for as long as they are refused, however many come', async () => {
    const attempt = attemptOf(unique('account'), unique('network'))
    for (let at = 0; at <= FREE_OF_ACCOUNT_AND_NETWORK; at += 1) await admit(await scope(), attempt, NOW)
    await Promise.all(times(MANY, async () => recordRefusal(await scope(), attempt)))
    const found = database.prepare('select count(*) as n from audit_events where target_id = ?').bind(attempt.label)
    expect(await found.first('n')).toBe(1)
    expect((await admit(await scope(), attempt, NOW + 1_000)).admitted).toBe(true)
    await recordRefusal(await scope(), attempt)
    expect(await found.first('n')).toBe(2)
  })

  it('the event of an unknown user has the beginning of its name, and no event has a password', async () => {
    const address = someAddress()
    const name = `${unique('nobody')}${'x'.repeat(1000)}`
    await byPassword(name, 'a secret that nobody may see', undefined, address)
    expect((await events(address)).map(({ target_id: id }) => id)).toEqual([name.slice(0, 64)])
    const all = JSON.stringify((await database.prepare('select * from audit_events').all()).results)
    expect(all).not.toContain('a secret that nobody may see')
  })

  it('a log-in with a token is an event', async () => {
    const address = someAddress()
    await authenticate({ methods: ['token'], token: { id: owner.token } }, 'unscoped', address)
    expect(await events(address)).toMatchObject([{ outcome: 'success', target_id: owner.userId }])
  })
})

/** Stores a hash as an earlier release would have. */
async function replaceHash(id: string, passwordHash: string): Promise<void> {
  const backend = await scope()
  const [before] = await backend.db.run(
    select(getTableColumns(identityUsers), (columns) =>
      build.select(columns).from(identityUsers).where(eq(identityUsers.id, id)),
    ),
  )
  if (!before) throw new Error('no such user')
  const { mac } = await withMac(backend, 'identityUsers', { ...before, passwordHash })
  const update = database.prepare('update identity_users set password_hash = ?, mac = ? where id = ?')
  await update.bind(passwordHash, mac, id).run()
}

describe('a hash of another cost', () => {
  const outdated = async (secret: string) => {
    const salt = crypto.getRandomValues(new Uint8Array(16))
    const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'PBKDF2', false, ['deriveBits'])
    const bits = await crypto.subtle.deriveBits(
      { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 100_000 },
      key,
      256,
    )
    return `pbkdf2-sha256$100000$${salt.toBase64()}$${new Uint8Array(bits).toBase64()}`
  }

  it('a hash of another cost is made anew at the log-in, and ends no token', async () => {
    const one = await person(['creator'])
    await replaceHash(one.userId, await outdated(one.password))
    const before = await hashOf(one.userId)
    expect(isOutdated(before)).toBe(true)
    expect((await byPassword(one.name, 'wrong')).status).toBe(401)
    expect(await hashOf(one.userId)).toBe(before)
    expect((await byPassword(one.name, one.password)).status).toBe(201)
    expect(isOutdated(await hashOf(one.userId))).toBe(false)
    expect((await byPassword(one.name, one.password)).status).toBe(201)
    expect((await identity('GET', '/auth/projects', { token: one.token })).status).toBe(200)
  })

  const hashOf = async (id: string) =>
    String(
      await database.prepare('select password_hash as hash from identity_users where id = ?').bind(id).first('hash'),
    )
})
