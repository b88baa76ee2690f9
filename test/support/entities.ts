/** Entities that requests can name, one of each kind, made anew when a request has deleted it. */
import { call } from './client.ts'
import { create, unique } from './identity.ts'
import type { Person } from './people.ts'

const idIn = (href: string) => href.slice(href.lastIndexOf('/') + 1)

const KEY_BYTES = 32

/** Makes the entities of a person, by the names that the contract has for parameters of paths. */
function makers({ token, userId }: Person): Readonly<Record<string, () => Promise<string>>> {
  const made = async (path: string, member: string, json: object) => {
    const answer = await call('POST', path, { token, json })
    return idIn(String(answer.json[member]))
  }
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(KEY_BYTES))))
  const octets = { payload: key, payload_content_type: 'application/octet-stream', payload_content_encoding: 'base64' }
  const aes = { algorithm: 'aes', bit_length: 256, mode: 'gcm', secret_type: 'symmetric' }
  return {
    secret: () => made('/v1/secrets', 'secret_ref', { name: 'one', ...aes, ...octets }),
    container: () => made('/v1/containers', 'container_ref', { name: 'one', type: 'generic', secret_refs: [] }),
    order: () => made('/v1/orders', 'order_ref', { type: 'key', meta: { name: 'one', ...aes } }),
    project: async () => (await create('project', { name: unique('project') })).id,
    user: async () => (await create('user', { name: unique('user'), password: unique('password') })).id,
    role: async () => (await create('role', { name: unique('role') })).id,
    credential: async () => {
      const path = `/identity/v3/users/${userId}/application_credentials`
      const answer = await call('POST', path, { token, json: { application_credential: { name: unique('one') } } })
      return answer.json.application_credential.id
    },
    authority: async () => {
      const { json } = await call('GET', '/v1/cas', { token })
      return idIn(String(json.cas[0]))
    },
  }
}

/** The entities of a person. */
export function entitiesOf(person: Person) {
  const make = makers(person)
  const ids = new Map<string, string>()
  return {
    /** The id of the entity of this kind; undefined for a kind that nobody can make. */
    async of(kind: string): Promise<string | undefined> {
      if (!ids.has(kind) && make[kind]) ids.set(kind, await make[kind]())
      return ids.get(kind)
    },
    /** Says that the entity may be gone. */
    forget: (kind: string) => ids.delete(kind),
  }
}
