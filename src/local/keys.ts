/** What a local service keeps secret: made at random on the first start, kept beside its state, reused afterwards. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { StartError } from './options.ts'

/** The file of the keys, in the state folder, readable by its owner only. */
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

/** The keys of this state folder. Throws {@link StartError} when the folder cannot be written. */
export function localKeys(state: string): LocalKeys {
  const file = join(state, KEYS_FILE)
  try {
    mkdirSync(state, { recursive: true })
    const known = readKeys(file)
    const keys = {
      MASTER_KEYS: known.MASTER_KEYS ?? `local:${randomBytes(32).toString('base64')}`,
      ADMIN_PASSWORD: known.ADMIN_PASSWORD ?? randomBytes(18).toString('base64url'),
      DEMO_PASSWORD: known.DEMO_PASSWORD ?? randomBytes(18).toString('base64url'),
    }
    const lines = Object.entries(keys).map(([name, value]) => `${name}=${value}\n`)
    // A start that is killed here must leave the keys that were there: without them nothing opens.
    const fresh = `${file}.new`
    writeFileSync(fresh, lines.join(''), { mode: 0o600, flush: true })
    chmodSync(fresh, 0o600)
    renameSync(fresh, file)
    return keys
  } catch (error) {
    throw new StartError(`the state folder ${state} cannot be used: ${(error as Error).message}`)
  }
}
