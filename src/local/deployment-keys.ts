/**
 * The file with the secrets of a deployment: the master keys and the administrator's password. Cloudflare does not give
 * secrets back, so this file, or a copy of it, is the only place from which they can be had.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { readKeyring } from '../crypto/keyring.ts'
import { writePrivate } from './keys.ts'
import { StartError } from './options.ts'

const MASTER_KEY_BYTES = 32
const PASSWORD_BYTES = 18
/** The line of the master keys. The other lines of a file belong to whoever wrote them. */
const MASTER_KEYS_LINE = /^\s*(?:export\s+)?MASTER_KEYS\s*=.*$/m

export interface DeploymentKeys {
  /** The keyring: the first key wraps new project keys. */
  readonly MASTER_KEYS: string
  readonly ADMIN_PASSWORD: string
}

const explanation = `# The secrets of a deployment of Portcullis, made by npm run setup. Cloudflare does not give them back.
#
# MASTER_KEYS: nothing that is stored can be read without it, by nobody, ever. Keep a copy of this line where neither
#   this machine nor the Cloudflare account is needed to get it, such as a password manager and a sealed envelope.
# ADMIN_PASSWORD: the first password of the user admin in the project admin. Keep it in a password manager.
#
# This file must not be committed or sent. When the copies exist it may be deleted; npm run setup -- --rotate needs it.
`

const textOf = (keys: DeploymentKeys) =>
  `${explanation}MASTER_KEYS=${keys.MASTER_KEYS}\nADMIN_PASSWORD=${keys.ADMIN_PASSWORD}\n`

const idsIn = (masterKeys: string) => masterKeys.split(',').map((key) => key.trim().split(':')[0])

/** Returns a new master key with its id: the day, and a number from the second key of a day on. */
function newKey(day: string, taken: readonly (string | undefined)[] = []): string {
  let id = day
  for (let number = 2; taken.includes(id); number += 1) id = `${day}.${number}`
  return `${id}:${randomBytes(MASTER_KEY_BYTES).toString('base64')}`
}

/**
 * Makes the file with new secrets. `day` is the id of the master key. Throws {@link StartError} if there is a file: its
 * keys may be all that opens a deployment.
 */
export function makeKeys(file: string, day: string): DeploymentKeys {
  const keys = { MASTER_KEYS: newKey(day), ADMIN_PASSWORD: randomBytes(PASSWORD_BYTES).toString('base64url') }
  try {
    writeFileSync(file, textOf(keys), { mode: 0o600, flag: 'wx', flush: true })
    return keys
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new StartError(`${file} exists and is not overwritten`)
    throw new StartError(`${file} cannot be written: ${message}`)
  }
}

/** Reads the file. Throws {@link StartError} if there is none, or if its keys are not valid. */
export async function readKeys(file: string): Promise<DeploymentKeys> {
  if (!existsSync(file)) throw new StartError(`${file} does not exist: bring it back from your copy of the keys`)
  const { MASTER_KEYS, ADMIN_PASSWORD = '' } = parseEnv(readFileSync(file, 'utf8'))
  if (MASTER_KEYS === undefined) throw new StartError(`${file} has no MASTER_KEYS`)
  await readKeyring(MASTER_KEYS).catch((error: Error) => {
    throw new StartError(`MASTER_KEYS in ${file}: ${error.message}`)
  })
  return { MASTER_KEYS, ADMIN_PASSWORD }
}

/** Puts a new master key before the others, in the file as well, whose other lines stay. Throws as {@link readKeys} does. */
export async function addPrimary(file: string, day: string): Promise<DeploymentKeys> {
  const { MASTER_KEYS, ADMIN_PASSWORD } = await readKeys(file)
  const keys = { MASTER_KEYS: `${newKey(day, idsIn(MASTER_KEYS))},${MASTER_KEYS}`, ADMIN_PASSWORD }
  const text = readFileSync(file, 'utf8')
  const changed = text.replace(MASTER_KEYS_LINE, () => `MASTER_KEYS=${keys.MASTER_KEYS}`)
  writePrivate(file, changed)
  const { MASTER_KEYS: written } = await readKeys(file)
  if (written !== keys.MASTER_KEYS) throw new StartError(`${file} has more than one line for MASTER_KEYS`)
  return keys
}

/** The ids of the master keys, the primary first. */
export const masterKeyIds = ({ MASTER_KEYS }: DeploymentKeys): readonly string[] =>
  idsIn(MASTER_KEYS).map((id) => id ?? '')
