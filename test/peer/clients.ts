/** Every group of steps of the stock client; each takes a session of `openSession` and reports into it. */
export { certificateOrders } from './client-certificates.ts'
export { containersAclsConsumers } from './client-containers.ts'
export { identityAdministration } from './client-identity.ts'
export { asymmetricOrders, secretsAndOrders } from './client-secrets.ts'
