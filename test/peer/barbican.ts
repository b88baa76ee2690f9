/** Starts Barbican from Debian's packages (version 15 in Debian 12), with its software crypto backend. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Keystone } from './keystone.ts'
import type { MariaDb } from './mariadb.ts'
import { needPackages } from './packages.ts'
import { runToSuccess } from './process.ts'
import { serve } from './uwsgi.ts'

export interface BarbicanOptions {
  /** The folder for configuration and logs; the data is in Keystone's database server. */
  readonly state: string
  readonly port: number
  readonly keystone: Keystone
  /** Enables `enforce_scope` and `enforce_new_defaults`: only the roles admin, member and reader grant access. */
  readonly strict?: boolean
  /** `multiple` adds a KMIP store without a server: it can be listed and set as preferred, but not used. */
  readonly stores?: 'single' | 'multiple'
  /** See {@link serve}. */
  readonly withLength?: boolean
}

export interface Barbican {
  /** The base URL of the key manager, without `/v1`. */
  readonly url: string
  stop(): Promise<void>
}

const multipleStores = `enable_multiple_secret_stores = true
stores_lookup_suffix = software, kmip
[secretstore:software]
secret_store_plugin = store_crypto
crypto_plugin = simple_crypto
global_default = true
[secretstore:kmip]
secret_store_plugin = kmip_plugin
[kmip_plugin]
username = nobody
password = nothing
host = 127.0.0.1
port = 1
`

function configuration(options: BarbicanOptions, url: string, databaseAddress: string): string {
  const { state, keystone, strict = false, stores = 'single' } = options
  const identityUrl = keystone.url.replace(/\/v3$/, '')
  return `[DEFAULT]
host_href = ${url}
log_file = ${state}/barbican.log
sql_connection = ${databaseAddress}
db_auto_create = false
[keystone_authtoken]
auth_type = password
auth_url = ${identityUrl}
www_authenticate_uri = ${identityUrl}
username = barbican
password = barbican
project_name = service
user_domain_name = Default
project_domain_name = Default
[queue]
enable = false
[oslo_policy]
enforce_scope = ${strict}
enforce_new_defaults = ${strict}
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = ${Buffer.from('a key for tests, 32 bytes long..').toString('base64')}
[secretstore]
enabled_secretstore_plugins = store_crypto
${stores === 'multiple' ? multipleStores : ''}`
}

async function prepareDatabase(state: string, database: MariaDb, environment: { HOME: string }): Promise<void> {
  const prepared = join(state, 'prepared')
  if (existsSync(prepared)) return
  await database.create('barbican')
  await runToSuccess('barbican-db-manage', ['--dburl', database.address('barbican'), 'upgrade'], { environment })
  await writeFile(prepared, '')
}

/**
 * Starts Barbican on a loopback port and returns when it responds. Throws if it does not.
 *
 * The package has no argument or variable for the path of its configuration file. But oslo.config searches
 * `~/.barbican` before `/etc/barbican`, so a separate home directory leaves the system's file unchanged. The paste
 * configuration, which Barbican also needs, is the one that the package installed in `/etc/barbican`.
 */
export async function startBarbican(options: BarbicanOptions): Promise<Barbican> {
  const { state, port, keystone, stores = 'single', strict = false, withLength = false } = options
  console.log(`starting Barbican on port ${port} (strict ${strict}, stores ${stores})`)
  await needPackages(['barbican-api', 'uwsgi-plugin-python3', ...(stores === 'multiple' ? ['python3-pykmip'] : [])])
  const url = `http://127.0.0.1:${port}`
  const environment = { HOME: join(state, 'home') }
  await mkdir(join(environment.HOME, '.barbican'), { recursive: true })
  await writeFile(
    join(environment.HOME, '.barbican', 'barbican.conf'),
    configuration(options, url, keystone.database.address('barbican')),
  )
  await prepareDatabase(state, keystone.database, environment)
  const server = await serve({
    port,
    module: 'barbican.api.app:get_api_wsgi_script()',
    environment,
    log: join(state, 'uwsgi.log'),
    threads: 8,
    withLength,
  })
  return { url, stop: () => server.stop() }
}
