/**
 * The columns that no MAC of a row covers with their value, written out by hand. Tests take their expectation from this
 * list and not from `src/state/integrity/protection.ts`, so that a column that is demoted there fails them.
 */

/** In tables whose rows carry a MAC: what neither a MAC nor a seal protects. */
export const unprotectedColumns: Readonly<Record<string, readonly string[]>> = {
  secrets: ['seq', 'updated', 'version_origin'],
  secretVersions: ['seq', 'destroyed'],
  containers: ['seq', 'updated'],
  containerSecrets: ['seq'],
  orders: [
    'seq',
    'status',
    'sub_status',
    'sub_status_message',
    'error_status_code',
    'error_reason',
    'secret_id',
    'container_id',
    'updated',
    'attempts',
    'due',
  ],
  certificateAuthorities: ['generation'],
  issuedCertificates: [],
  identityUsers: ['seq', 'default_project_id'],
  identityProjects: ['seq'],
  identityRoles: ['seq'],
  roleAssignments: ['seq'],
  applicationCredentials: ['seq'],
  deployments: ['place', 'requires'],
  heartbeats: ['place'],
}

/** In tables whose rows carry a MAC: sealed values, and the columns that select the key of one. */
export const sealedColumns: Readonly<Record<string, readonly string[]>> = {
  secrets: ['store', 'key_version'],
  secretVersions: ['store', 'key_version', 'sealed'],
  orders: ['store', 'key_version', 'sealed'],
  certificateAuthorities: ['store', 'key_version', 'root_sealed', 'issuing_sealed'],
}

/** Columns of which a MAC covers only whether there is a value, because the value is sealed. */
export const presentColumns: Readonly<Record<string, readonly string[]>> = { secrets: ['sealed'] }

/** Tables whose rows carry no MAC. */
export const tablesWithoutMac = [
  'auditEvents',
  'containerConsumers',
  'loginAttempts',
  'preferredStores',
  'projectCounts',
  'projectDestructions',
  'projectKeys',
  'projectQuotas',
  'revokedTokens',
  'secretConsumers',
  'secretMetadata',
  'secretReaders',
] as const

/** The rule that a column of a table with MACs must have. */
export function ruleOf(table: string, column: string): 'authenticated' | 'present' | 'sealed' | 'unprotected' {
  if (unprotectedColumns[table]?.includes(column)) return 'unprotected'
  if (sealedColumns[table]?.includes(column)) return 'sealed'
  return presentColumns[table]?.includes(column) ? 'present' : 'authenticated'
}
