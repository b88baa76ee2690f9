/**
 * `npm run drill` proves that a dump can be restored and finds what is wrong with one; `npm run restore` loads it into a
 * new database, which then serves under fresh Durable Objects.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statementsIn } from '../../src/local/dump.ts'
import { buildBundle, startRuntime, type Runtime } from '../../src/local/runtime.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
const MINUTES = 60_000
const [PORT, RESTORED_PORT] = [9_381, 9_382]

const folder = mkdtempSync(join(tmpdir(), 'portcullis-restores-'))
const project = join(folder, 'project')
const state = join(project, '.wrangler/state')
const [dump, keys, otherKeys] = ['dump.sql', 'keys.env', 'other.env'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]
const PASSWORD = 'an administrator of tests'
const MASTER_KEYS = 'first:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc='
const variables = { MASTER_KEYS, ADMIN_PASSWORD: PASSWORD, LOG: 'problems', POLICY: 'legacy' }
const SECRETS = 30

interface Service {
  readonly runtime: Runtime
  readonly token: string
}

async function send({ runtime, token }: Service, method: string, path: string, body?: unknown) {
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json', Accept: 'application/json' }
  const response = await fetch(runtime.url + path, {
    method,
    headers: path.endsWith('/payload') ? { 'X-Auth-Token': token, Accept: 'text/plain' } : headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : null }
}

/** Starts a service and logs in as its administrator, who can do everything in the project `admin`. */
async function started(port: number, at: string, more: Readonly<Record<string, string>> = {}): Promise<Service> {
  const runtime = await startRuntime(port, at, { ...variables, ...more })
  const domain = { id: 'default' }
  const response = await fetch(`${runtime.url}/identity/v3/auth/tokens`, {
    method: 'POST',
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: 'admin', domain, password: PASSWORD } } },
        scope: { project: { name: 'admin', domain } },
      },
    }),
    headers: { 'Content-Type': 'application/json' },
  })
  return { runtime, token: response.headers.get('X-Subject-Token') ?? '' }
}

const run = (program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [join(ROOT, `src/local/${program}.ts`), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })

const leftovers = () => readdirSync(tmpdir()).filter((name) => /^portcullis-(drill|restore)-/.test(name))

let refs: string[] = []

beforeAll(async () => {
  cpSync(join(ROOT, 'wrangler.toml'), join(project, 'wrangler.toml'))
  cpSync(join(ROOT, 'migrations'), join(project, 'migrations'), { recursive: true })
  writeFileSync(keys, `MASTER_KEYS=${MASTER_KEYS}\n`, { mode: 0o600 })
  writeFileSync(otherKeys, `MASTER_KEYS=first:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  await buildBundle(state)
  const service = await started(PORT, state)
  for (let at = 0; at < SECRETS; at += 1) {
    const json = { name: `it's; number ${at}`, payload: `payload\n${at}`, payload_content_type: 'text/plain' }
    refs.push(new URL((await send(service, 'POST', '/v1/secrets', json)).json.secret_ref).pathname)
  }
  await send(service, 'POST', '/v1/containers', {
    type: 'generic',
    secret_refs: [{ name: 'a', secret_ref: `${service.runtime.url}${refs[0]}` }],
  })
  const consumer = { service: 'image', resource_type: 'image', resource_id: 'i' }
  await send(service, 'POST', `${refs[0]}/consumers`, consumer)
  await send(service, 'PUT', `${refs[0]}/metadata`, { metadata: { a: "b;'c" } })
  await send(service, 'GET', '/v1/cas')
  // Objects seal their events within fifteen seconds of the change.
  await setTimeout(20_000)
  await service.runtime.stop()
  const exported = spawnSync(process.execPath, [WRANGLER, 'd1', 'export', 'DB', '--local', '--output', dump], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(exported.status, exported.stderr).toBe(0)
}, 5 * MINUTES)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm run drill', () => {
  it(
    'npm run drill opens every value of a dump, follows its chains, reports numbers and leaves nothing',
    () => {
      const { status, stdout, stderr } = run('drill', [dump, '--keys', keys])
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(new RegExp(`^ +${SECRETS}  sealed values of secrets opened \\(`, 'm'))
      expect(stdout).toMatch(/^ +2 {2}sealed values of certificate_authorities opened/m)
      expect(stdout).toMatch(new RegExp(`^ +${SECRETS}  rows of secrets authentic`, 'm'))
      expect(stdout).toMatch(/^ +1 {2}rows of containerSecrets authentic/m)
      expect(Number(/^ +(\d+) {2}events in unbroken chains/m.exec(stdout)?.[1])).toBeGreaterThan(SECRETS)
      expect(stdout).toMatch(/^The dump can be restored: \d+\.\d s$/m)
      expect(stdout).not.toContain('payload')
      expect(leftovers()).toEqual([])
    },
    3 * MINUTES,
  )

  it(
    'npm run drill finds a value and a row of a dump that were changed',
    () => {
      const text = readFileSync(dump, 'utf8')
      const tampered = join(folder, 'tampered.sql')
      const changed = text
        .replace(/(INSERT INTO "secrets"[^\n]*?X'01)([\da-f]{60})/i, (_all, start: string, digits: string) =>
          [start, digits.slice(0, -2), digits.endsWith('00') ? '11' : '00'].join(''),
        )
        .replace(/(INSERT INTO "identity_roles"[^\n]*?)'observer'/i, "$1'observed'")
      expect(changed).not.toBe(text)
      writeFileSync(tampered, changed)
      const { status, stdout, stderr } = run('drill', [tampered], { MASTER_KEYS })
      expect(status).toBe(1)
      expect(stdout).toMatch(/^FAILED/m)
      expect(stderr).toMatch(/not as it should be: secrets\/[\da-f-]{36} payload/)
      expect(stderr).toMatch(/not as it should be: identityRoles row \d+/)
    },
    3 * MINUTES,
  )

  it('npm run drill takes master keys from the environment or a file, and says so without them', () => {
    const { MASTER_KEYS: _, ...bare } = process.env
    const none = spawnSync(process.execPath, [join(ROOT, 'src/local/drill.ts'), dump], { encoding: 'utf8', env: bare })
    expect([none.status, none.stderr]).toEqual([1, 'portcullis: there is no MASTER_KEYS in the environment\n'])
    const wrong = run('drill', [join(folder, 'absent.sql'), '--keys', keys])
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('portcullis: ENOENT')])
    writeFileSync(join(folder, 'text.sql'), 'this is no dump;')
    expect(run('drill', [join(folder, 'text.sql'), '--keys', keys]).stderr).toContain('not a statement of a dump')
  })

  it(
    'npm run drill fails with other master keys than those of the dump',
    () => {
      const { status, stdout, stderr } = run('drill', [dump, '--keys', otherKeys])
      expect([status, stdout.includes('can be restored')]).toEqual([1, false])
      expect(stderr).toContain('portcullis: rows of secrets cannot be verified: ')
      expect(leftovers()).toEqual([])
    },
    3 * MINUTES,
  )
})

describe('npm run restore', () => {
  it(
    'npm run restore loads a dump, which is served read-only, reconciled and then written to',
    async () => {
      const restored = join(folder, 'restored')
      const { status, stdout, stderr } = run('restore', [dump, '--persist-to', restored])
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toContain('POST /admin/reconcile')
      expect(run('restore', [dump, '--persist-to', restored]).stderr).toContain('the database is not empty')
      const readOnly = await started(RESTORED_PORT, restored, { READ_ONLY: 'on' })
      try {
        const payload = await send(readOnly, 'GET', `${refs[1]}/payload`)
        expect([payload.status, payload.text]).toEqual([200, 'payload\n1'])
        expect((await send(readOnly, 'POST', '/v1/secrets', {})).status).toBe(503)
      } finally {
        await readOnly.runtime.stop()
      }
      const service = await started(RESTORED_PORT, restored)
      try {
        expect((await send(service, 'POST', '/v1/secrets', {})).status).toBe(201)
        expect((await send(service, 'GET', '/v1/secrets?limit=100')).json.total).toBe(SECRETS + 1)
      } finally {
        await service.runtime.stop()
      }
    },
    5 * MINUTES,
  )
})

describe('a dump', () => {
  async function* inPieces(text: string, length: number) {
    for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length)
  }

  it('a dump is cut into the same statements, whatever pieces it is read in', async () => {
    const statements = [
      'CREATE TABLE a (x text /* ; */ )',
      `INSERT INTO "a" VALUES('it''s; -- no\ncomment')`,
      "INSERT INTO a VALUES('a-b/c')",
      'CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET x = 1;\n  DELETE FROM a;\nEND',
      'INSERT INTO a VALUES(-1)',
    ]
    for (const length of [1, 2, 3, 7, 1_000]) {
      const found: string[] = []
      for await (const one of statementsIn(inPieces(`${statements.join(';\n')};\n-- the end\n`, length)))
        found.push(one)
      expect(found).toEqual(statements)
    }
    const broken = async () => {
      for await (const _ of statementsIn(inPieces("INSERT INTO a VALUES('x", 4)));
    }
    await expect(broken).rejects.toThrow('the dump breaks off')
  })
})
