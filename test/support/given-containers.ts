/** Containers, consumers and ACLs that a test starts from, made through the public API of either server. */
import { call } from './client.ts'
import type { Person } from './given.ts'

/** How long a hook may take that makes people: the peer's Keystone hashes passwords slowly. */
export const HOOK_MILLISECONDS = 120_000

/** Time enough for the peer's clock, whose times have whole seconds. */
export const aSecond = () => new Promise((resolve) => setTimeout(resolve, 1_100))

/** Makes a container and gives its ref. */
export async function container(who: Person, members: object = {}): Promise<string> {
  const answer = await call('POST', '/v1/containers', { token: who.token, json: { type: 'generic', ...members } })
  if (answer.status !== 201) throw new Error(`container: ${answer.status} ${answer.text}`)
  return answer.json.container_ref
}

/** Gives a secret or container a read ACL. */
export async function acl(who: Person, ref: string, read: object): Promise<void> {
  const answer = await call('PUT', `${ref}/acl`, { token: who.token, json: { read } })
  if (answer.status !== 200) throw new Error(`ACL: ${answer.status} ${answer.text}`)
}

/** A path under `/v1` in the form that names the project: refs answered there name it too. */
export const tenantPath = (who: Person, path: string) => path.replace('/v1/', `/v1/${who.projectId}/`)
