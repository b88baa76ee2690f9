/**
 * The resource `/extensions`: what this service does beyond Barbican's API. Barbican has no such route, so that a client
 * can tell the two apart before it relies on one of these.
 */
import { operation, resource } from './http/resource.ts'

const extensions = [
  {
    alias: 'key-use',
    name: 'Use of keys',
    description: 'Keys encrypt, decrypt, sign and make codes within the service; extractable, usages and acl/use.',
    updated: '2026-11-30T00:00:00Z',
    links: [],
  },
]

export const extensionsResource = resource({
  path: '/extensions',
  operations: {
    GET: operation({
      name: 'Extensions retrieval',
      rule: 'extensions:get',
      answers: { 200: 'Extensions' },
      faults: [],
      answer: () => ({ status: 200, json: { extensions } }),
    }),
  },
})
