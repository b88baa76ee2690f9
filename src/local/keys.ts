/** The secrets of a local service: generated on the first start, stored in its state folder and reused afterwards. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { StartError } from './options.ts'

/** The file with the keys, in the state folder, readable by its owner only. */
export const KEYS_FILE = 'portcullis.env'

export interface LocalKeys {
  readonly MASTER_KEYS: string
  readonly ADMIN_PASSWORD: string
  readonly DEMO_PASSWORD: string
}

function readKeys(file: string): Partial<LocalKeys> {
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** Reads the keys of a state folder, or generates them. Throws {@link StartError} if the folder is not writable. */
export function localKeys(state: string): LocalKeys {
  const file = join(state, KEYS_FILE)
  try {
    mkdirSync(state, { recursive: true })
    const existing = readKeys(file)
    const keys = {
      MASTER_KEYS: existing.MASTER_KEYS ?? `local:${randomBytes(32).toString('base64')}`,
      ADMIN_PASSWORD: existing.ADMIN_PASSWORD ?? randomBytes(18).toString('base64url'),
      DEMO_PASSWORD: existing.DEMO_PASSWORD ?? randomBytes(18).toString('base64url'),
    }
    const lines = Object.entries(keys).map(([name, value]) => `${name}=${value}\n`)
    // Write a new file and rename it: if this process is killed, the old keys, without which nothing opens, must
    // remain.
    const fresh = `${file}.new`
    writeFileSync(fresh, lines.join(''), { mode: 0o600, flush: true })
    chmodSync(fresh, 0o600)
    renameSync(fresh, file)
    return keys
  } catch (error) {
    throw new StartError(`the state folder ${state} cannot be used: ${(error as Error).message}`)
  }
}
