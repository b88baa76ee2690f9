/**
 * Where containers, consumers, metadata, ACLs, quotas, stores and transport keys answer otherwise than those of the
 * peer, and mean to; the same register as `differences.ts`.
 */
import { it } from 'vitest'
import { onPeer } from './differences.ts'

export const containerDifferences = {
  'exact container names': 'a name filter is that name; the peer matches it as a LIKE pattern without case',
  'refs that lead somewhere': 'refs to secrets that have expired are hidden with them; the peer keeps showing them',
  'added again': 'a pair that was removed from a container can be added again; the peer answers 500',
  'refs without a slash': 'a ref without any slash names its secret by id; the peer answers 500',
  'no read error': 'a body that is no JSON is 415 on every route; on one the peer answers 500 `Read Error`',
  'consumer of another': 'a consumer is found under its own secret or container only; the peer finds it under any',
  'consumer locations': 'the `Location` of a new consumer is the collection it is in; the peer’s leads nowhere',
  'content types of consumers': 'the secret in the answer has its `content_types`, as with newer Barbican',
  'long resource ids': 'a `resource_id` of more than 36 characters is the client’s fault, 400; the peer answers 500',
  'long metadata': 'a key or value of more than 255 characters is the client’s fault, 400; the peer answers 500',
  'every user of an ACL': 'all of `users` is checked; the peer looks at the first and takes or fails on the others',
  'numbers of quotas': 'a limit beyond 32 bits is the client’s fault, 400; the peer answers 500',
  'links to quotas': 'page links of project quotas lead to `/v1/project-quotas`; those of the peer to a 404',
  'no transport keys': 'no back end here has transport keys, so none can be added; the peer stores any text',
  'transport keys in JSON': 'a transport key that is not there is 404 for every `Accept`; the peer answers 500 or 406',
  'a second life of consumers': 'a consumer that comes back is a new one; the peer revives the row with its old time',
  'no crash over types': 'metadata is JSON whatever well-known type is asked for; the peer fails on some of them',
  'methods of transport keys': 'a method that there is not is 405; the peer closes the connection',
} as const

export type ContainerDifference = keyof typeof containerDifferences

/** A whole test that is about a difference: it is not run against the peer. */
export const itDiffersInContainers = (difference: ContainerDifference) =>
  it.skipIf(onPeer && containerDifferences[difference] !== undefined)

/** What the server under test is expected to answer where both answers are known. */
export function eitherOfContainers<Ours, Peers>(
  difference: ContainerDifference,
  expected: { readonly ours: Ours; readonly peer: Peers },
) {
  return onPeer && containerDifferences[difference] ? expected.peer : expected.ours
}
