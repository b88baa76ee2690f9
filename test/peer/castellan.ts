/**
 * Runs the functional tests of castellan (Debian's package), the library with which Nova, Cinder, Glance and Octavia
 * use a key manager.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Keystone } from './keystone.ts'
import { needPackages } from './packages.ts'
import { runTests, type Results } from './results.ts'

export interface CastellanOptions {
  /** The base URL of the key manager, without `/v1`; the catalog is set to it. */
  readonly url: string
  readonly keystone: Keystone
  /** The folder for the configuration. */
  readonly state: string
}

const configuration = ({ url, environment }: Keystone): string => `[identity]
auth_url = ${url}
username = ${environment.OS_USERNAME}
password = ${environment.OS_PASSWORD}
project_name = ${environment.OS_PROJECT_NAME}
user_domain_name = Default
project_domain_name = Default
`

/**
 * Runs the tests as Keystone's administrator. castellan skips a test whose first connection fails, so a skipped test
 * means that the key manager could not be used. Throws if no test was run.
 */
export async function runCastellan({ url, keystone, state }: CastellanOptions): Promise<Results> {
  await needPackages(['python3-castellan', 'python3-ddt', 'python3-oslotest', 'python3-subunit'])
  await mkdir(join(state, 'etc', 'castellan'), { recursive: true })
  await writeFile(join(state, 'etc', 'castellan', 'castellan-functional.conf'), configuration(keystone))
  await keystone.setKeyManagerUrl(url)
  console.log(`castellan: starting against ${url}`)
  return runTests({
    name: 'castellan',
    command: '/usr/bin/python3 "$PROGRAM"',
    environment: {
      PROGRAM: join(import.meta.dirname, 'castellan-functional.py'),
      AUTH_URL: keystone.url,
      KEY_MANAGER_URL: url,
    },
    folder: state,
  })
}
