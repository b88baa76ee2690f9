/** What the tables cannot say about an operation, by its id. A test fails on a note about an operation that is not there. */
export const notes: Readonly<Record<string, string>> = {
  getSecret:
    'With `Accept: application/json`, `*/*` or none it answers with metadata. Any other `Accept` is the deprecated way to read the payload, under the rule `secret:decrypt`.',
  putSecret:
    'Sets the payload of a secret without one. With `If-Match`, or if the secret was set to it, it adds a version. Octets may be sent with `Content-Encoding: base64`.',
  deleteSecret: 'From microversion 1.2 on, a secret with consumers is deleted only with `force`.',
  getSecretPayload: '`Accept` is read as one literal media type; without it, the answer is octets.',
  postSecretVersions: 'Exactly one of `payload`, `generate` and `restore` says what the new version contains.',
  putOrders: 'Is always refused, as in Barbican.',
  putOrder: 'Replaces `meta` of a certificate order that is PENDING.',
  deleteSecretAcl: 'Everybody in the project may read the secret again.',
  postTransportKeys: 'Is always refused: the service wraps nothing in transit.',
  getTransportKey: 'There is none.',
  deleteTransportKey: 'There is none.',
  getAudit: 'The events of the project, sealed in a chain of hashes.',
  postAdminRotate:
    'Wraps keys of projects under the primary master key, supersedes those that the body names, and reseals some of the values under superseded keys. Repeat it until nothing is left.',
  putAdminProjectDestruction: 'Destroys the keys of a project, and with them everything that they encrypt.',
}
