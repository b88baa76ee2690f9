/** Installs Debian packages, from which Barbican, Keystone and the clients come. */
import { run, runToSuccess } from './process.ts'

const environment = { DEBIAN_FRONTEND: 'noninteractive' }

async function isInstalled(name: string): Promise<boolean> {
  const { status, stdout } = await run('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name])
  return status === 0 && stdout === 'installed'
}

/**
 * Installs the missing packages, without recommended ones.
 * Throws on a system without dpkg, and if it may not install packages.
 */
export async function needPackages(names: readonly string[]): Promise<void> {
  const installed = await Promise.all(names.map(isInstalled))
  const missing = names.filter((_, index) => !installed[index])
  if (missing.length === 0) return
  console.log(`installing ${missing.join(' ')}`)
  await runToSuccess('apt-get', ['update', '-qq'], { environment })
  await runToSuccess('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { environment })
}
