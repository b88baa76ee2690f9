import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

const root = new URL('..', import.meta.url).pathname

export default defineConfig(async () => ({
  root,
  plugins: [
    cloudflareTest({
      wrangler: { configPath: `${root}wrangler.toml` },
      miniflare: {
        // Stands for a copy of the Worker's database that lags behind it.
        d1Databases: { REPLICA: 'replica' },
        bindings: {
          TEST_MIGRATIONS: await readD1Migrations(`${root}migrations`),
          MASTER_KEYS: 'test:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc=',
          LOG: 'problems',
          ADMIN_PASSWORD: 'an administrator of tests',
          GROWTH: process.env['GROWTH'] ?? '',
          PEER_URL: process.env['PEER_URL'] ?? '',
          PEER_IDENTITY_URL: process.env['PEER_IDENTITY_URL'] ?? '',
        },
      },
    }),
  ],
  test: { include: ['test/**/*.test.ts'], setupFiles: ['./test/support/setup.ts'], testTimeout: 30_000 },
}))
