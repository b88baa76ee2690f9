import { availableParallelism } from 'node:os'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { buildPages } from '../src/pages/build.ts'
import { provocations } from './contract/provocations.ts'

const root = new URL('..', import.meta.url).pathname

// wrangler makes them before it builds the Worker, which is not built here.
buildPages()

/** Tests that need a process of their own, such as wrangler's; all others run inside workerd. */
const inNode = ['test/node/**/*.test.ts']

export default defineConfig({
  root,
  test: {
    // A log line from another request than the test's own, sent to Vitest as a call during the last round trip of a
    // file, is never answered and the run never ends (cloudflare/workers-sdk#15719). Printed directly, it is no call.
    disableConsoleIntercept: true,
    reporters: ['default', provocations],
    // The default leaves a core unused, so that the tests took twice as long on a machine with two.
    maxWorkers: availableParallelism(),
    projects: [
      {
        root,
        plugins: [
          cloudflareTest({
            wrangler: { configPath: `${root}wrangler.toml` },
            miniflare: {
              // Stands for a replica of the Worker's database that lags behind it.
              d1Databases: { REPLICA: 'replica' },
              bindings: {
                MASTER_KEYS: 'test:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc=',
                LOG: 'problems',
                // The black-box suite also runs against Barbican 15 with its legacy rules. The default is `secure`.
                POLICY: 'legacy',
                ADMIN_PASSWORD: 'an administrator of tests',
                GROWTH: process.env['GROWTH'] ?? '',
                GENERATED: process.env['GENERATED'] ?? '',
                FAULTS: process.env['FAULTS'] ?? '',
                RECORD_REQUESTS: process.env['RECORD_REQUESTS'] ?? '',
                PEER_URL: process.env['PEER_URL'] ?? '',
                PEER_IDENTITY_URL: process.env['PEER_IDENTITY_URL'] ?? '',
              },
            },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/**/*.test.ts'],
          exclude: inNode,
          setupFiles: ['./test/support/setup.ts'],
          testTimeout: 30_000,
          disableConsoleIntercept: true,
        },
      },
      { root, test: { name: 'node', include: inNode, testTimeout: 120_000 } },
    ],
  },
})
