/** All groups of steps of the stock client. Each takes a session of `openSession` and reports its steps there. */
export { certificateOrders } from './client-certificates.ts'
export { containersAclsConsumers } from './client-containers.ts'
export { identityAdministration } from './client-identity.ts'
export { asymmetricOrders, secretsAndOrders } from './client-secrets.ts'
