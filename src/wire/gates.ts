/** The checks that every call passes, by HTTP and by a service binding: configuration, token, master keys. */
import { authenticateEmbedded } from '../access/embedded.ts'
import { authenticateKeystone } from '../access/keystone.ts'
import type { Caller } from '../caller.ts'
import { ConfigError, readConfig, type Config, type Environment } from '../config.ts'
import { fault } from '../faults.ts'
import type { Backend } from '../state/backend.ts'
import { missingMasterKey } from '../state/keys/rotation.ts'

/** Returns the configuration of this isolate. Throws `misconfigured` (503) if it is invalid. */
export async function configOf(env: Environment): Promise<Config> {
  try {
    return await readConfig(env)
  } catch (error) {
    throw error instanceof ConfigError ? fault('misconfigured', error.message) : error
  }
}

/**
 * Returns the caller of a token; `unscoped` if the token has no project. Throws `unauthenticated` if the token or, with
 * Keystone, the service token is invalid.
 */
export async function callerOfToken(
  { identity, keystoneUrl }: Config,
  backend: Backend,
  token: string,
  serviceToken?: string,
): Promise<Caller | 'unscoped'> {
  const caller =
    identity === 'keystone'
      ? await authenticateKeystone(keystoneUrl, token, serviceToken)
      : await authenticateEmbedded(token, backend)
  if (!caller) throw fault('unauthenticated')
  return caller
}

/**
 * Throws `masterKeyMissing` (503) while MASTER_KEYS lacks a key that project keys are wrapped under, so that an operator
 * who removed it too early restores it before data is lost.
 */
export async function refuseWithoutMasterKeys(backend: Backend): Promise<void> {
  const missing = await missingMasterKey(backend)
  if (missing !== null) throw fault('masterKeyMissing', missing)
}
