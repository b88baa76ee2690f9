/**
 * `npm run setup`, with the real wrangler and a server that stands for Cloudflare's API: which secrets arrive there, and
 * that none is lost, overwritten, printed or shown in the list of processes.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROOT, runProgram, runScript } from '../support/program.ts'

const ACCOUNT = '0123456789abcdef0123456789abcdef'
const folder = mkdtempSync(join(tmpdir(), 'portcullis-setup-'))

/** What the server knows of the Worker, and how it behaves. */
let worker: { exists: boolean; secrets: Record<string, string>; refuses: boolean }
/** The name of the database that was made; null if there is none. */
let database: string | null = null
/** The metadata of the last Worker that was uploaded with code. */
let deployed: { bindings: { name: string; id?: string }[]; keep_bindings?: string[] } | null = null
/** The arguments of all processes at the time of the last upload. */
let commandLines = ''

const commandLinesOfAll = () =>
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

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += String(part)
  return text
}

function answer(response: ServerResponse, status: number, result: unknown, code?: number): void {
  const errors = code === undefined ? [] : [{ code, message: 'refused' }]
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ success: status < 400, errors, messages: [], result }))
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = `/accounts/${ACCOUNT}/workers/scripts/portcullis`
  const body = await bodyOf(request)
  switch (`${request.method} ${request.url?.split('?')[0]}`) {
    case `GET ${path}/secrets`:
      if (!worker.exists) return answer(response, 404, null, 10007)
      return answer(
        response,
        200,
        Object.keys(worker.secrets).map((name) => ({ name, type: 'secret_text' })),
      )
    case `PUT ${path}`: {
      worker.exists = true
      const [, metadata = 'null'] = /name="metadata"[^]*?\r\n\r\n([^]*?)\r\n--/.exec(body) ?? []
      deployed = JSON.parse(metadata) as typeof deployed
      return answer(response, 200, { id: 'portcullis', startup_time_ms: 1, deployment_id: 'd' })
    }
    case `PATCH ${path}/secrets-bulk`: {
      commandLines = existsSync('/proc') ? commandLinesOfAll() : ''
      if (worker.refuses) return answer(response, 500, null, 10000)
      if (!worker.exists) return answer(response, 404, null, 10007)
      const { secrets } = JSON.parse(body) as { secrets: Record<string, { text: string }> }
      for (const [name, { text }] of Object.entries(secrets)) worker.secrets[name] = text
      return answer(response, 200, {})
    }
    default:
      return serveDeployment(request, response, body)
  }
}

/** What wrangler asks for around the upload of a Worker. */
function serveDeployment(request: IncomingMessage, response: ServerResponse, body: string): void {
  const path = request.url?.split('?')[0]?.replace(`/accounts/${ACCOUNT}`, '') ?? ''
  const absent = () => answer(response, 404, null, 10007)
  switch (`${request.method} ${path}`) {
    case 'GET /workers/services/portcullis':
      if (!worker.exists) return absent()
      return answer(response, 200, { default_environment: { environment: 'production', script: { tag: 't' } } })
    case 'GET /workers/scripts/portcullis/settings':
      return worker.exists ? answer(response, 200, { bindings: [] }) : absent()
    case 'GET /d1/database/portcullis':
      return database === null
        ? answer(response, 404, null, 7404)
        : answer(response, 200, { uuid: 'u', name: database })
    case 'GET /d1/database':
      return answer(response, 200, [])
    case 'POST /d1/database':
      database = (JSON.parse(body) as { name: string }).name
      return answer(response, 200, { uuid: 'the id of the database', name: database })
    case 'POST /workers/scripts/portcullis/assets-upload-session':
      // It has all files already.
      return answer(response, 200, { jwt: 'uploaded', buckets: [] })
    case 'GET /workers/workers/portcullis':
      return answer(response, 200, { subdomain: { enabled: true, previews_enabled: false } })
    case 'GET /workers/subdomain':
      return answer(response, 200, { subdomain: 'test' })
    case 'GET /workers/scripts/portcullis/deployments':
      return answer(response, 200, { deployments: [] })
    default:
      return answer(response, 200, {})
  }
}

let server: Server
beforeAll(async () => {
  server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

let file: string
let tests = 0
beforeEach(() => {
  worker = { exists: false, secrets: {}, refuses: false }
  tests += 1
  file = join(folder, `keys-${tests}`)
})

/** The environment with an account at the server, or with none. */
const variables = (withAccount: boolean) => ({
  HOME: folder,
  XDG_CONFIG_HOME: folder,
  CLOUDFLARE_API_TOKEN: withAccount ? 'a token' : undefined,
  CLOUDFLARE_ACCOUNT_ID: withAccount ? ACCOUNT : undefined,
  CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
})

const setUp = (args: readonly string[], withAccount = true) =>
  runProgram('setup.ts', ['--file', file, ...args], variables(withAccount))

const keysIn = () => parseEnv(readFileSync(file, 'utf8')) as Record<string, string>

describe('npm run setup', () => {
  it('the keys of a Worker that was never deployed are made, kept in a private file and uploaded', async () => {
    const { status, out, error } = await setUp([])
    expect([status, error]).toEqual([0, ''])
    const keys = keysIn()
    expect(keys.MASTER_KEYS).toMatch(/^\d{4}-\d\d-\d\d:[A-Za-z0-9+/]{43}=$/)
    expect(keys.ADMIN_PASSWORD).toMatch(/^[\w-]{24}$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(worker).toEqual({ exists: true, secrets: keys, refuses: false })
    expect(out).toContain(file)
    expect(out).toContain('Next: npm run deploy')
    for (const secret of [keys.ADMIN_PASSWORD ?? '', keys.MASTER_KEYS?.split(':')[1] ?? '']) {
      expect(out + commandLines).not.toContain(secret)
    }
  })

  it('a file with keys is not overwritten, and a Worker that has a master key gets no other', async () => {
    await setUp(['--local'])
    const before = readFileSync(file, 'utf8')
    const again = await setUp([])
    expect([again.status, again.error]).toEqual([1, expect.stringContaining('exists and is not overwritten')])
    expect(readFileSync(file, 'utf8')).toBe(before)
    rmSync(file)
    worker = { exists: true, secrets: { MASTER_KEYS: 'those of before' }, refuses: false }
    const other = await setUp([])
    expect([other.status, other.error]).toEqual([1, expect.stringContaining('the Worker has MASTER_KEYS already')])
    expect([existsSync(file), worker.secrets]).toEqual([false, { MASTER_KEYS: 'those of before' }])
  })

  it('keys whose upload failed are kept, and --upload brings them later', async () => {
    worker.refuses = true
    const failed = await setUp([])
    expect([failed.status, failed.error]).toEqual([1, expect.stringContaining(`--upload --file ${file}`)])
    const keys = keysIn()
    worker.refuses = false
    expect((await setUp(['--upload'])).status).toBe(0)
    expect([worker.secrets, keysIn()]).toEqual([keys, keys])
  })

  it('--rotate puts a new master key before the old one, and keeps the old one and the password', async () => {
    await setUp([])
    const before = keysIn()
    const { status, out } = await setUp(['--rotate'])
    expect(status).toBe(0)
    const after = keysIn()
    expect(after.MASTER_KEYS).toMatch(/^\d{4}-\d\d-\d\d\.2:[A-Za-z0-9+/]{43}=,\d{4}-/)
    expect(after.MASTER_KEYS?.endsWith(`,${before.MASTER_KEYS}`)).toBe(true)
    expect(after.ADMIN_PASSWORD).toBe(before.ADMIN_PASSWORD)
    expect(worker.secrets).toEqual(after)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(out).toContain('/admin/rotate')
  })

  it('--rotate keeps the other lines of a file, such as that of a local service', async () => {
    await setUp(['--local'])
    writeFileSync(file, `# a remark\n${readFileSync(file, 'utf8')}DEMO_PASSWORD=another line\n`)
    expect((await setUp(['--local', '--rotate'])).status).toBe(0)
    const text = readFileSync(file, 'utf8')
    expect(text.startsWith('# a remark\n')).toBe(true)
    expect(text).toContain('DEMO_PASSWORD=another line\n')
    expect(keysIn().MASTER_KEYS?.split(',')).toHaveLength(2)
  })

  it('npm run deploy after it makes the database, binds it, and keeps the secrets', async () => {
    await setUp([])
    const { secrets } = worker
    const { status, error } = await runScript('deploy', variables(true))
    expect([status, error]).toEqual([0, ''])
    expect(database).toBe('portcullis')
    expect(deployed?.bindings).toContainEqual(expect.objectContaining({ name: 'DB', id: 'the id of the database' }))
    expect([deployed?.keep_bindings, worker.secrets]).toEqual([expect.arrayContaining(['secret_text']), secrets])
  })

  it('without an account nothing is made, and the way on is said in one line', async () => {
    const { status, error } = await setUp([], false)
    expect([status, existsSync(file)]).toEqual([1, false])
    expect(error).toMatch(/^portcullis: wrangler has no Cloudflare account to use: run npx wrangler login[^\n]*\n$/)
    const local = await setUp(['--local'], false)
    expect([local.status, local.out]).toEqual([0, expect.stringContaining('Nothing was uploaded')])
    expect((await setUp(['--local', '--rotate'], false)).status).toBe(0)
    expect(keysIn().MASTER_KEYS?.split(',')).toHaveLength(2)
  })

  it('--dry-run changes nothing', async () => {
    const { status, out } = await setUp(['--dry-run'], false)
    expect([status, out, existsSync(file)]).toEqual([0, expect.stringContaining('Nothing was done'), false])
  })

  it.each([
    [['--upload'], 'does not exist'],
    [['--rotate', '--local'], 'does not exist'],
    [['--upload', '--local'], '--upload goes with neither'],
    [['--ratate'], "Unknown option '--ratate'"],
  ])('npm run setup -- %j is refused with a reason', async (args, reason) => {
    const { status, error } = await setUp(args, false)
    expect([status, error]).toEqual([1, expect.stringContaining(reason)])
  })

  it('a file with damaged keys is neither rotated nor uploaded', async () => {
    writeFileSync(file, 'MASTER_KEYS=a:AAAA\nADMIN_PASSWORD=a password\n')
    for (const args of [['--rotate', '--local'], ['--upload']]) {
      const { status, error } = await setUp(args)
      expect([status, error]).toEqual([1, expect.stringContaining("key 'a' is not 32 bytes")])
    }
    expect(readFileSync(file, 'utf8')).toContain('MASTER_KEYS=a:AAAA')
  })

  it('git ignores the file with the keys of each environment', () => {
    const { stdout } = spawnSync('git', ['check-ignore', '.portcullis-keys', '.portcullis-keys.staging'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(stdout.trim().split('\n')).toHaveLength(2)
  })
})
