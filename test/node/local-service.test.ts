/** `npm start` and `npm run dev`: what they print, what other users of the machine can see, and how they refuse. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { printedBy, runProgram, startProgram } from '../support/program.ts'

const START_MILLISECONDS = 240_000
const folder = mkdtempSync(join(tmpdir(), 'portcullis-local-'))
const MASTER_KEY = `given:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`
const ADMIN_PASSWORD = 'a password that is in no list'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a service and returns when it has printed the variables for a shell. */
async function startService(name: string, state: string, args: readonly string[], variables = {}) {
  const port = await freePort()
  const child = startProgram(name, ['--port', String(port), '--persist-to', state, ...args], variables)
  const printed = printedBy(child)
  const exports = () => [...printed.out.matchAll(/^ {2}export ([A-Z_]+)=(\S+)$/gm)]
  await vi.waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${printed.out}${printed.error}`)
      expect(printed.out).toContain('curl -s -X POST "$URL/v1/orders"')
    },
    { timeout: START_MILLISECONDS, interval: 200 },
  )
  const shell = Object.fromEntries(exports().map(([, variable, value]) => [variable ?? '', value ?? '']))
  const stop = async () => {
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  }
  return { url: `http://127.0.0.1:${port}`, shell, printed, stop }
}

/** Checks that the pages are served by the Worker, with the address of the service, and not by what is before it. */
async function readPages(url: string): Promise<void> {
  const page = await fetch(`${url}/docs/openstack`)
  expect([page.status, page.headers.get('Content-Security-Policy')]).toEqual([
    200,
    expect.stringMatching(/^default-src 'none'; style-src 'sha256-/),
  ])
  expect(await page.text()).toContain(`key-manager public ${url}\n`)
  for (const path of ['/docs/openstack.html', '/docs/index.html', '/docs/nothing']) {
    expect([path, (await fetch(url + path)).status]).toEqual([path, 404])
  }
  expect(await (await fetch(`${url}/openapi.json`)).json()).toMatchObject({ openapi: '3.1.0' })
}

/** Checks the printed variables by what curl and gophercloud do with them. */
async function useShell(shell: Readonly<Record<string, string>>): Promise<void> {
  const { URL: url, TOKEN = '', PROJECT } = shell
  const order = { type: 'key', meta: { name: 'first', algorithm: 'aes', bit_length: 256, mode: 'gcm' } }
  const headers = { 'X-Auth-Token': TOKEN, 'Content-Type': 'application/json' }
  const placed = await fetch(`${url}/v1/orders`, { method: 'POST', headers, body: JSON.stringify(order) })
  expect(placed.status).toBe(202)
  const listed = await fetch(`${url}/v1/${PROJECT}/secrets`, { headers })
  expect([listed.status, await listed.json()]).toEqual([200, expect.objectContaining({ total: 1 })])
  const user = { name: shell.OS_USERNAME, password: shell.OS_PASSWORD, domain: { name: shell.OS_DOMAIN_NAME } }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { id: shell.OS_PROJECT_ID } },
  }
  const body = JSON.stringify({ auth })
  const path = `${shell.OS_AUTH_URL}/auth/tokens`
  const { token } = (await (await fetch(path, { method: 'POST', headers, body })).json()) as {
    token: { catalog: { type: string; endpoints: { interface: string; region: string; url: string }[] }[] }
  }
  const endpoints = token.catalog.find(({ type }) => type === 'key-manager')?.endpoints
  const wanted = { interface: shell.OS_INTERFACE, region: shell.OS_REGION_NAME, url }
  expect(endpoints).toContainEqual(expect.objectContaining(wanted))
}

/** The arguments of all processes of this machine. */
const commandLines = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
    .join('\n')

/** Modes of everything in a folder that another user could open. */
const openToOthers = (state: string) =>
  ['.', ...readdirSync(state, { recursive: true, encoding: 'utf8' })].filter(
    (name) => (statSync(join(state, name), { throwIfNoEntry: false })?.mode ?? 0) & 0o077,
  )

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm start', () => {
  const state = join(folder, 'a', 'state')
  let service: Awaited<ReturnType<typeof startService>>
  beforeAll(async () => {
    const secrets = join(folder, 'secrets.env')
    writeFileSync(secrets, `MASTER_KEYS=${MASTER_KEY}\nADMIN_PASSWORD=not this one\n`)
    service = await startService('start.ts', state, ['--secrets-file', secrets], { ADMIN_PASSWORD })
  }, START_MILLISECONDS)
  afterAll(() => service.stop())

  it('npm start prints variables for a shell with which the service can be used', () => useShell(service.shell))

  it('npm start writes the variables to a file, and says where that, the state and the passwords are', () => {
    const { out } = service.printed
    for (const place of [state, join(state, 'portcullis.env'), join(state, 'openrc')]) expect(out).toContain(place)
    const openrc = readFileSync(join(state, 'openrc'), 'utf8')
    expect(parseEnv(openrc.replaceAll('export ', ''))).toEqual(service.shell)
  })

  it('npm start serves the pages, with its address in their commands', () => readPages(service.url))

  it('npm start says what it does while it does it', () => {
    const steps = ['Building the Worker', 'Starting workerd', 'Making the demo project and user']
    for (const step of steps) expect(service.printed.out).toMatch(new RegExp(`^${step} … \\d+\\.\\d s$`, 'm'))
  })

  it('npm start shows each request on a line, and not those that it made itself', async () => {
    expect(service.printed.out).not.toMatch(/PUT .*\/roles/)
    await fetch(`${service.url}/v1/nothing?a=secret`)
    await vi.waitFor(() =>
      expect(service.printed.out).toMatch(/^\d\d:\d\d:\d\d GET \/v1\/nothing - 401 \d+ ms unauthenticated$/m),
    )
  })

  it('npm start keeps its state from other users', () => {
    expect(openToOthers(state)).toEqual([])
    expect(statSync(state).mode & 0o777).toBe(0o700)
  })

  it('npm start uses the secrets of the environment and of the file, and no process shows them', async () => {
    const user = { name: 'admin', password: ADMIN_PASSWORD, domain: { id: 'default' } }
    const auth = {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: 'admin', domain: { id: 'default' } } },
    }
    const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ auth }) }
    expect((await fetch(`${service.url}/identity/v3/auth/tokens`, asked)).status).toBe(201)
    // The token says which master key signed it.
    expect(Buffer.from(service.shell.TOKEN?.split('.')[0] ?? '', 'base64url').toString()).toContain('"given/')
    const shown = commandLines() + service.printed.out + service.printed.error
    for (const secret of [ADMIN_PASSWORD, MASTER_KEY]) expect(shown).not.toContain(secret)
  })
})

describe('npm run dev', () => {
  const state = join(folder, 'dev')
  let service: Awaited<ReturnType<typeof startService>>
  beforeAll(async () => {
    service = await startService('dev.ts', state, ['--var', 'POLICY:both'], { ADMIN_PASSWORD })
  }, START_MILLISECONDS)
  afterAll(() => service.stop())

  it('npm run dev prints variables for a shell with which the service can be used', () => useShell(service.shell))

  it('npm run dev serves the pages, with its address in their commands', () => readPages(service.url))

  it('npm run dev serves no console for the database, and runs the sweep where the program asks for it', async () => {
    for (const path of ['/cdn-cgi/explorer', '/cdn-cgi/local/explorer', '/cdn-cgi/local/explorer/api']) {
      expect([path, (await fetch(service.url + path)).status]).toEqual([path, 404])
    }
    expect((await fetch(`${service.url}/cdn-cgi/local/scheduled`)).status).toBe(200)
  })

  it('npm run dev keeps its state from other users, and no process shows its secrets', () => {
    expect(openToOthers(state)).toEqual([])
    const keys = parseEnv(readFileSync(join(state, 'portcullis.env'), 'utf8'))
    const shown = commandLines()
    for (const secret of [ADMIN_PASSWORD, keys.MASTER_KEYS ?? '']) expect(shown).not.toContain(secret)
  })
})

describe('a start that is refused', () => {
  it.each(['start.ts', 'dev.ts', 'setup.ts', 'audit-verify.ts'])('%s prints its usage with --help', async (name) => {
    const { status, out, error } = await runProgram(name, ['--help'])
    expect([status, error]).toEqual([0, ''])
    expect(out).toMatch(/^npm (start|run [a-z:]+) \[?-- /)
  })

  it.each<[readonly string[], string]>([
    [['--prot', '1'], "Unknown option '--prot' (options: --port, --persist-to, --var, --secrets-file, --app, --help)"],
    [['--persist-to', '/proc/x'], 'the state folder /proc/x cannot be used'],
    [['--persist-to', '/dev/null/x'], 'the state folder /dev/null/x cannot be used'],
    [['--secrets-file', '/nowhere'], '--secrets-file /nowhere cannot be read'],
  ])('npm start -- %j is refused at once, with one line', async (args, reason) => {
    const { status, error } = await runProgram('start.ts', args)
    expect([status, error.trim().split('\n')]).toEqual([1, [expect.stringContaining(`portcullis: ${reason}`)]])
  })

  it('a bad secret of the environment is refused without being shown, and one of --var with a warning', async () => {
    const short = await runProgram('start.ts', ['--persist-to', join(folder, 'x')], { ADMIN_PASSWORD: 'short!!' })
    expect([short.status, short.error]).toEqual([1, expect.stringContaining('ADMIN_PASSWORD must have at least 8')])
    expect(short.error).not.toContain('short!!')
    const args = ['--persist-to', join(folder, 'x'), '--var', 'MASTER_KEYS:k:AAAA']
    const weak = await runProgram('start.ts', args, { ADMIN_PASSWORD: undefined })
    expect([weak.status, weak.error]).toEqual([
      1,
      expect.stringMatching(/--var MASTER_KEYS shows a secret[\s\S]*not 32 bytes/),
    ])
  })
})
