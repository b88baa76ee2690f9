/** Installs packages: Debian's, from which Barbican, Keystone and the clients come, and npm's for one run. */
import { mkdirSync } from 'node:fs'
import { run, runToSuccess } from './process.ts'

const environment = { DEBIAN_FRONTEND: 'noninteractive' }

async function isInstalled(name: string): Promise<boolean> {
  const { status, stdout } = await run('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name])
  return status === 0 && stdout === 'installed'
}

let installed: Promise<void> = Promise.resolve()

/**
 * Installs the missing packages, without recommended ones. One call after the other, because dpkg has one lock.
 * Throws on a system without dpkg, and if it may not install packages.
 */
export function needPackages(names: readonly string[]): Promise<void> {
  const installing = installed.then(() => install(names))
  installed = installing.catch(() => undefined)
  return installing
}

async function install(names: readonly string[]): Promise<void> {
  const found = await Promise.all(names.map(isInstalled))
  const missing = names.filter((_, index) => !found[index])
  if (missing.length === 0) return
  console.log(`installing ${missing.join(' ')}`)
  await runToSuccess('apt-get', ['update', '-qq'], { environment })
  await runToSuccess('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { environment })
}

/** What of the caller's environment npm needs to reach the registry that the caller uses. */
const ofNpm = /^(npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy|no_proxy)$/i

/**
 * Installs packages of npm, with exact versions, below this folder.
 * Throws if the registry cannot be reached.
 */
export async function installFromNpm(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const inherited = Object.entries(process.env).filter(([name]) => ofNpm.test(name))
  await runToSuccess('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, ...packages], {
    environment: Object.fromEntries(inherited.map(([name, value = '']) => [name, value])),
  })
}
