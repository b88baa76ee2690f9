/** The entrypoint `KeyManager` as a service binding reaches it, without the runtime's serialisation between. */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { KeyManagerBinding } from '../../src/client/contract.ts'
import { KeyManager } from '../../src/index.ts'
import { identity, unique } from './identity.ts'
import type { Person } from './people.ts'

/** Returns a binding with these `props`; `variables` override those of the Worker. */
export function bindingWith(props: unknown, variables: Readonly<Record<string, unknown>> = {}): KeyManagerBinding {
  const context = Object.create(createExecutionContext(), { props: { value: props } }) as ExecutionContext
  return new KeyManager(context, { ...env, EDGE_CREDENTIALS: 'on', ...variables })
}

/** Creates an application credential of a person, which is made for service bindings unless `given` says otherwise. */
export async function edgeCredential(who: Person, given: Readonly<Record<string, unknown>> = {}) {
  const members = { name: unique('credential'), description: 'edge', ...given }
  const path = `/users/${who.userId}/application_credentials`
  const { json } = await identity('POST', path, { token: who.token, json: { application_credential: members } })
  const { id, secret } = json.application_credential as { readonly id: string; readonly secret: string }
  return { id, secret, path: `${path}/${id}` }
}
