/**
 * The secrets of a local service: those that are given, and otherwise those that the first start generates and stores in
 * the state folder.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { readKeyring } from '../crypto/keyring.ts'
import { requireValid, StartError, type Options } from './options.ts'

/** The file with the keys, in the state folder, readable by its owner only. */
export const KEYS_FILE = 'portcullis.env'

export interface LocalKeys {
  readonly MASTER_KEYS: string
  readonly ADMIN_PASSWORD: string
  readonly DEMO_PASSWORD: string
}

/** The variables whose values are secret. */
const secretNames = ['MASTER_KEYS', 'ADMIN_PASSWORD'] as const
type Secrets = Partial<Record<(typeof secretNames)[number], string>>

/** Writes a file for its owner alone, whole or not at all: if this process is killed, the old content remains. */
export function writePrivate(file: string, text: string): void {
  const fresh = `${file}.new`
  writeFileSync(fresh, text, { mode: 0o600, flush: true })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
}

/** Makes a folder and those above it, one after the other: `recursive` of Node never returns below `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

function readSecrets(file: string): Partial<LocalKeys> {
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/**
 * Reads the keys of a state folder, or generates them. The folder and what this process makes in it are closed to other
 * users. Throws {@link StartError} if the folder is not writable.
 */
export function localKeys(state: string): LocalKeys {
  const file = join(state, KEYS_FILE)
  process.umask(0o077)
  try {
    makeFolder(resolve(state))
    const existing = readSecrets(file)
    // A folder with keys in it is ours, also if an earlier version left it open. A foreign one keeps its mode.
    if (existing.MASTER_KEYS !== undefined) chmodSync(state, 0o700)
    const keys = {
      MASTER_KEYS: existing.MASTER_KEYS ?? `local:${randomBytes(32).toString('base64')}`,
      ADMIN_PASSWORD: existing.ADMIN_PASSWORD ?? randomBytes(18).toString('base64url'),
      DEMO_PASSWORD: existing.DEMO_PASSWORD ?? randomBytes(18).toString('base64url'),
    }
    const lines = Object.entries(keys).map(([name, value]) => `${name}=${value}\n`)
    writePrivate(file, lines.join(''))
    return keys
  } catch (error) {
    throw new StartError(`the state folder ${state} cannot be used: ${(error as Error).message}`)
  }
}

/** Reads `--secrets-file`. Throws {@link StartError} if it cannot be read. */
function secretsIn(file: string | null): Secrets {
  if (file === null) return {}
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new StartError(`--secrets-file ${file} cannot be read: ${(error as Error).message}`)
  }
}

/**
 * Returns the secrets that were given, of `--var`, the environment and the file, in this order. Throws
 * {@link StartError} for values that the Worker would answer with 503.
 */
export async function givenSecrets(options: Options, environment: NodeJS.ProcessEnv): Promise<Secrets> {
  const file = secretsIn(options.secretsFile)
  const given: Secrets = {}
  for (const name of secretNames) {
    const value = options.variables[name] ?? (environment[name] || file[name])
    if (value !== undefined) given[name] = value
    if (options.variables[name] !== undefined)
      console.error(
        `portcullis: --var ${name} shows a secret to every user of this machine: use the environment or --secrets-file`,
      )
  }
  requireValid(given)
  if (given.MASTER_KEYS !== undefined)
    await readKeyring(given.MASTER_KEYS).catch((error: Error) => {
      throw new StartError(`MASTER_KEYS: ${error.message}`)
    })
  return given
}
