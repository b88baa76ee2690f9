/** Starts Keystone from Debian's packages, with the accounts that Barbican's functional tests expect. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { startMariaDb, type MariaDb } from './mariadb.ts'
import { needPackages } from './packages.ts'
import { runToSuccess, words, type Environment, type RunningProcess } from './process.ts'
import { serve } from './uwsgi.ts'

export interface KeystoneOptions {
  /** The folder for the database, keys, configuration and logs; a second start reuses them. */
  readonly state: string
  readonly port: number
  /** The URL of the key-manager endpoints in the catalog. */
  readonly keyManagerUrl: string
}

export interface Keystone {
  /** The base URL of the identity API, ending with `/v3`. */
  readonly url: string
  /** The administrator's OS_* variables. */
  readonly environment: Environment
  /** The database server, which Barbican uses too. */
  readonly database: MariaDb
  /** Changes the URL of all key-manager endpoints in the catalog. */
  setKeyManagerUrl(url: string): Promise<void>
  stop(): Promise<void>
}

interface Named {
  readonly id: string
  readonly name: string
}

const REGION = 'RegionOne'
const ADMIN_PASSWORD = 'secretadmin'
const USER_PASSWORD = 'barbican'

/** The roles besides admin, member and reader, which `keystone-manage bootstrap` creates. */
const roles = ['service', 'creator', 'observer', 'audit', 'key-manager:service-admin']

/** The accounts to create: user, password, project, and roles on the project. */
const accounts: readonly (readonly [user: string, password: string, project: string, roles: readonly string[]])[] = [
  ['barbican', USER_PASSWORD, 'service', ['admin', 'service']],
  ['service-admin', 'secretservice', 'service', ['key-manager:service-admin']],
  ...['project_a', 'project_b'].flatMap((project) =>
    (
      [
        ['admin', 'admin'],
        ['creator', 'creator'],
        ['creator_2', 'creator'],
        ['observer', 'observer'],
        ['auditor', 'audit'],
      ] as const
    ).map(([suffix, role]) => [`${project}_${suffix}`, USER_PASSWORD, project, [role]] as const),
  ),
]

const configuration = (state: string, database: MariaDb): string => `[DEFAULT]
log_file = ${state}/keystone.log
[database]
connection = ${database.address('keystone')}
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = ${state}/fernet/
[credential]
key_repository = ${state}/credential/
[cache]
enabled = true
backend = dogpile.cache.memory
[oslo_policy]
enforce_scope = false
enforce_new_defaults = false
`

async function prepare(state: string, url: string, database: MariaDb): Promise<void> {
  const prepared = join(state, 'prepared')
  if (existsSync(prepared)) return
  const manage = (...args: string[]) =>
    runToSuccess('keystone-manage', ['--config-file', join(state, 'keystone.conf'), ...args])
  await database.create('keystone')
  await manage('db_sync')
  const group = (await runToSuccess('id', ['--group', '--name'])).trim()
  for (const keys of ['fernet', 'credential']) {
    await mkdir(join(state, keys), { recursive: true })
    await manage(`${keys}_setup`, '--keystone-user', userInfo().username, '--keystone-group', group)
  }
  await manage(
    ...words`bootstrap --bootstrap-username admin --bootstrap-password ${ADMIN_PASSWORD}`,
    ...words`--bootstrap-project-name admin --bootstrap-role-name admin`,
    ...words`--bootstrap-service-name keystone --bootstrap-region-id ${REGION}`,
    ...words`--bootstrap-public-url ${url} --bootstrap-internal-url ${url} --bootstrap-admin-url ${url}`,
  )
  await writeFile(prepared, '')
}

/** A client of Keystone's v3 API with an administrator's token. `call` throws for any status above 299. */
class Administrator {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async logIn(url: string): Promise<Administrator> {
    const domain = { id: 'default' }
    const user = { name: 'admin', password: ADMIN_PASSWORD, domain }
    const response = await fetch(`${url}/auth/tokens`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user } },
          scope: { project: { name: 'admin', domain } },
        },
      }),
    })
    const token = response.headers.get('X-Subject-Token')
    if (token === null) throw new Error(`Keystone refused its administrator: ${await response.text()}`)
    return new Administrator(url, token)
  }

  async call(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { 'X-Auth-Token': this.#token, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`Keystone answered ${response.status} to ${method} ${path}: ${text}`)
    return text ? (JSON.parse(text) as Record<string, unknown>) : {}
  }

  async list(collection: string, query = ''): Promise<readonly Named[]> {
    return (await this.call('GET', `/${collection}${query}`))[collection] as readonly Named[]
  }

  /** Returns the id of a resource, and creates the resource if it does not exist. */
  async need(kind: 'role' | 'project' | 'user' | 'service', name: string, members: object = {}): Promise<string> {
    const found = (await this.list(`${kind}s`)).find((each) => each.name === name)
    if (found) return found.id
    const created = await this.call('POST', `/${kind}s`, { [kind]: { name, ...members } })
    return (created[kind] as Named).id
  }
}

async function createAccounts(administrator: Administrator): Promise<void> {
  for (const role of roles) await administrator.need('role', role)
  const domain = { domain_id: 'default' }
  for (const [user, password, project, granted] of accounts) {
    const projectId = await administrator.need('project', project, domain)
    const userId = await administrator.need('user', user, { password, default_project_id: projectId, ...domain })
    for (const role of granted) {
      const roleId = await administrator.need('role', role)
      await administrator.call('PUT', `/projects/${projectId}/users/${userId}/roles/${roleId}`)
    }
  }
}

async function setKeyManagerUrl(administrator: Administrator, url: string): Promise<void> {
  const serviceId = await administrator.need('service', 'barbican', { type: 'key-manager' })
  const endpoints = await administrator.list('endpoints', `?service_id=${serviceId}`)
  for (const { id } of endpoints) await administrator.call('PATCH', `/endpoints/${id}`, { endpoint: { url } })
  if (endpoints.length > 0) return
  for (const kind of ['public', 'internal', 'admin'])
    await administrator.call('POST', '/endpoints', {
      endpoint: { service_id: serviceId, interface: kind, region_id: REGION, url },
    })
}

const openrc = (url: string): Environment => ({
  OS_AUTH_URL: url,
  OS_USERNAME: 'admin',
  OS_PASSWORD: ADMIN_PASSWORD,
  OS_PROJECT_NAME: 'admin',
  OS_USER_DOMAIN_NAME: 'Default',
  OS_PROJECT_DOMAIN_NAME: 'Default',
  OS_IDENTITY_API_VERSION: '3',
  OS_REGION_NAME: REGION,
})

/**
 * Starts Keystone on a loopback port with its own MariaDB, creates roles, projects, users and the key-manager
 * endpoints, and returns when all of it is ready. If a part does not start, stops everything and throws.
 */
export async function startKeystone({ state, port, keyManagerUrl }: KeystoneOptions): Promise<Keystone> {
  console.log(`starting Keystone on port ${port}`)
  await needPackages(['keystone', 'uwsgi-plugin-python3'])
  await mkdir(state, { recursive: true })
  const url = `http://127.0.0.1:${port}/v3`
  const database = await startMariaDb(join(state, 'mariadb'))
  let server: RunningProcess | undefined
  const stop = async (): Promise<void> => {
    await server?.stop()
    await database.stop()
  }
  try {
    await writeFile(join(state, 'keystone.conf'), configuration(state, database))
    await prepare(state, url, database)
    server = await serve({
      port,
      module: 'keystone.server.wsgi:initialize_public_application()',
      environment: { OS_KEYSTONE_CONFIG_DIR: state, OS_KEYSTONE_CONFIG_FILES: 'keystone.conf' },
      log: join(state, 'uwsgi.log'),
      // Keystone's memory cache is per process: a second process would respond with stale data.
      processes: 1,
      threads: 8,
    })
    const administrator = await Administrator.logIn(url)
    await createAccounts(administrator)
    await setKeyManagerUrl(administrator, keyManagerUrl)
    return {
      url,
      environment: openrc(url),
      database,
      setKeyManagerUrl: setKeyManagerUrl.bind(null, administrator),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
