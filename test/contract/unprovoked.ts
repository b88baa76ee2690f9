/**
 * Failures that an operation declares and that no test has to provoke, as `<operation> <failure>`, each with the reason. A run
 * of all tests names those that a test provokes all the same, which can leave this list.
 */
const because = (reason: string, ...entries: readonly string[]) =>
  Object.fromEntries(entries.map((entry): [string, string] => [entry, reason]))

const operationsOf = (failures: readonly string[], operations: readonly string[]) =>
  operations.flatMap((operation) => failures.map((failure) => `${operation} ${failure}`))

export const unprovoked: Readonly<Record<string, string>> = {
  ...because(
    'It takes five lost races in a row: test/state/conflicts.test.ts provokes it below HTTP.',
    ...operationsOf(
      ['changedConcurrently'],
      [
        'putSecret',
        'postSecretVersions',
        'patchSecretVersion',
        'deleteSecretVersion',
        'putSecretVersioning',
        'putSecretAcl',
        'patchSecretAcl',
        'deleteSecretAcl',
        'putContainerAcl',
        'patchContainerAcl',
        'deleteContainerAcl',
        'patchSecretKey',
        'putSecretAclUse',
        'deleteSecretAclUse',
        'postSecretConsumers',
        'deleteSecretConsumers',
        'postContainerConsumers',
        'deleteContainerConsumers',
      ],
    ),
  ),
  ...because(
    'A key has to be superseded between two statements of one request, several times.',
    ...operationsOf(['keySuperseded'], ['postSecrets', 'putSecret', 'postSecretVersions']),
  ),
  ...because(
    'The condition on what a project may have is the same for all: POST /v1/containers provokes it.',
    ...operationsOf(['projectDestroyed'], ['putOrder', 'postSecretConsumers', 'postContainerConsumers']),
  ),
  ...because(
    'What seals a payload is the same for all three: POST /v1/secrets provokes it.',
    ...operationsOf(['projectDestroyed'], ['putSecret', 'postSecretVersions']),
  ),
  ...because(
    'Both routes of a payload answer with the same function: GET /v1/secrets/{secret}/payload provokes it.',
    'getSecret sessionKeyAlone',
  ),
  ...because('A new version of any route is refused alike: POST of versions provokes it.', 'putSecret versionsFull'),
  ...because(
    'The tests of these call the operation below HTTP, or a Worker of their own that the contract is not asked about.',
    'deleteSecret illFormedText',
    'putSecretMetadataKey metadataKey',
    'postContainers containerFull',
    'getSecretStoresPreferred noPreferredStore',
    'getSecretStore storeNotFound',
    'postSecretStorePreferred storeNotFound',
    'deleteSecretStorePreferred storeNotFound',
    'deleteSecretStorePreferred noPreferredStore',
    'postCasAuthorityCertificatesSerialRevoke notIssued',
  ),
}
