/** Runs Barbican's Tempest plugin (Debian's package) against the key manager in Keystone's catalog. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Keystone } from './keystone.ts'
import { needPackages } from './packages.ts'
import { runTests, type Results } from './results.ts'

export interface TempestOptions {
  /** The base URL of the key manager, without `/v1`; the catalog is set to it. */
  readonly url: string
  readonly keystone: Keystone
  /** Whether the key manager enforces scopes and the new default rules: adds the rbac tests, omits project quotas. */
  readonly strict: boolean
  /** The highest microversion of the key manager, such as `1.1`. */
  readonly microversion?: string
  /** Selects tests; by default, all of api and rbac. */
  readonly regex?: string
  /** The folder for configuration and logs; earlier test results in it are deleted. */
  readonly state: string
}

const DEBIAN_PYTHON = '/usr/lib/python3/dist-packages'

function configuration({ state, keystone, strict, microversion = '1.1' }: TempestOptions) {
  const { OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, OS_REGION_NAME } = keystone.environment
  return `[DEFAULT]
log_file = ${state}/tempest.log
[oslo_concurrency]
lock_path = ${state}/locks
[auth]
use_dynamic_credentials = true
admin_username = ${OS_USERNAME}
admin_password = ${OS_PASSWORD}
admin_project_name = ${OS_PROJECT_NAME}
admin_domain_name = Default
admin_user_domain_name = Default
admin_project_domain_name = Default
tempest_roles = creator
create_isolated_networks = false
[identity]
uri_v3 = ${keystone.url}
auth_version = v3
region = ${OS_REGION_NAME}
default_domain_id = default
[identity-feature-enabled]
api_v3 = true
api_v2 = false
[service_available]
barbican = true
${['nova', 'glance', 'cinder', 'neutron', 'swift', 'horizon'].map((service) => `${service} = false`).join('\n')}
[key_manager]
min_microversion = 1.0
max_microversion = ${microversion}
[barbican_rbac_scope_verification]
enforce_scope = ${strict}
[enforce_scope]
barbican = ${strict}
`
}

const discovery = `[DEFAULT]
test_path=${DEBIAN_PYTHON}/tempest/test_discover
top_dir=${DEBIAN_PYTHON}/tempest
group_regex=([^\\.]*\\.)*
`

/**
 * Runs the plugin's api and rbac tests, two in parallel. A class that is skipped or fails as a whole counts as one test
 * with the name `setUpClass (…)`. Throws if no test was run.
 */
export async function runTempest(options: TempestOptions): Promise<Results> {
  const { url, keystone, state, strict, regex = String.raw`barbican_tempest_plugin\.tests\.(api|rbac)\.` } = options
  await needPackages(['tempest', 'barbican-tempest-plugin', 'python3-stestr', 'python3-subunit'])
  await rm(join(state, '.stestr'), { recursive: true, force: true })
  await mkdir(join(state, 'locks'), { recursive: true })
  await writeFile(join(state, 'tempest.conf'), configuration(options))
  await writeFile(join(state, '.stestr.conf'), discovery)
  await keystone.setKeyManagerUrl(url)
  const name = `tempest ${strict ? 'strict' : 'legacy'}`
  console.log(`${name}: starting against ${url}`)
  return runTests({
    name,
    command: 'tempest run --config-file "$CONFIGURATION" --regex "$REGEX" --concurrency 2 --subunit',
    environment: { CONFIGURATION: join(state, 'tempest.conf'), REGEX: regex },
    folder: state,
  })
}
