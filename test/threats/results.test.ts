/** T30 and T19: no answer holds both an error and a result, and the deployed configuration holds no secret. */
/// <reference types="vite/types/importMeta.d.ts" />
import { beforeAll, describe, expect, it } from 'vitest'
import { resources } from '../../src/app.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { CANARY, canarySecret, emptyContainer, idOf, keyOrder } from '../support/stored.ts'

const { send, person } = cloudOfKeystone()
const absent = '11111111-1111-4111-8111-111111111111'

describe('T30: the result of a handler', () => {
  let owner: Person
  let reader: Person
  let known: Readonly<Record<string, string>>
  beforeAll(async () => {
    owner = person(['creator', 'admin', 'member', 'key-manager:service-admin', 'audit'])
    reader = person(['audit'], { projectId: owner.projectId })
    const refs = [await canarySecret(send, owner), await emptyContainer(send, owner), await keyOrder(send, owner)]
    const [secret = '', container = '', order = ''] = refs.map(idOf)
    known = { ':secret': secret, ':container': container, ':order': order, ':project': owner.projectId }
  })

  const operations = resources.flatMap(({ path, operations: of }) =>
    Object.keys(of).map((method) => ({ method, path })),
  )
  const bodies: readonly unknown[] = [
    undefined,
    {},
    [],
    { payload: CANARY, payload_content_type: 'text/plain' },
    { payload: CANARY },
    {
      type: 'generic',
      name: 'a',
      secret_refs: [{ name: 'a', secret_ref: `https://kms.example:9311/v1/secrets/${absent}` }],
    },
    { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } },
    { type: 'key', meta: { algorithm: 'none', bit_length: 7 } },
    { read: { users: ['a'] } },
    { metadata: { a: 'b' } },
    { key: 'a', value: 'b' },
  ]

  /** Members of responses that identify or contain a result. */
  const results = /"(?:\w+_ref|secrets|containers|orders|consumers|metadata|token|access|events)":/

  it.each(operations)('T30: $method $path never returns both an error and a result', async ({ method, path }) => {
    const filled = (of: Readonly<Record<string, string>>) => path.replaceAll(/:\w+/g, (name) => of[name] ?? absent)
    for (const who of [owner, reader, null]) {
      // Requests are repeated after deletions and changes, so later responses are errors where the first was not.
      for (const target of [filled({}), filled(known)]) {
        for (const json of method === 'GET' ? [undefined] : bodies) {
          const token = who === null ? {} : { token: who.token }
          const answer = await send(method, `/v1${target}`, { ...token, ...(json !== undefined && { json }) })
          const shown = `${method} ${target} ${JSON.stringify(json)}: ${answer.status} ${answer.text}`
          expect(answer.status, shown).toBeLessThan(500)
          if (answer.status >= 400) {
            expect(answer.text, shown).not.toMatch(results)
            expect(answer.text, shown).not.toContain(CANARY)
            for (const header of ['Location', 'X-Subject-Token']) expect(answer.headers.get(header), shown).toBeNull()
          } else {
            expect(Object.keys(Object(answer.json)), shown).not.toContain('title')
          }
        }
      }
    }
  })
})

describe('T19: the deployed configuration', () => {
  const files = import.meta.glob<string>(
    ['../../wrangler.toml', '../../package.json', '../../src/**/*.ts', '../../README.md', '../../src/docs/*.md'],
    { query: '?raw', eager: true, import: 'default' },
  )
  const text = (name: string) => files[`../../${name}`] ?? ''

  it('T19: the configuration and the source are read by this test', () => {
    for (const name of ['wrangler.toml', 'package.json', 'README.md', 'src/config.ts']) expect(text(name)).not.toBe('')
  })

  it('T19: the deployed configuration names no secret: secret variables are set as secrets', () => {
    const settings = text('wrangler.toml').replaceAll(/^#.*$/gm, '')
    expect(settings).not.toMatch(/MASTER_KEYS|ADMIN_PASSWORD|\[vars\]/)
    // The texts of the deployment button name the secrets that it asks for.
    const { cloudflare, ...rest } = JSON.parse(text('package.json')) as Record<string, unknown>
    expect(JSON.stringify(rest)).not.toMatch(/MASTER_KEYS|ADMIN_PASSWORD|--var\b/)
    expect(JSON.stringify(cloudflare)).not.toMatch(/:[A-Za-z0-9+/]{43}=/)
  })

  it('T19: no source map is uploaded, which would show more than the Worker', () => {
    expect(text('wrangler.toml')).not.toMatch(/upload_source_maps\s*=\s*true/)
  })

  it('T19: the source holds nothing that could be a key', () => {
    const keys = Object.entries(files).filter(([, content]) => /['"`:][A-Za-z0-9+/]{43}=['"`]/.test(content))
    expect(keys.map(([path]) => path)).toEqual([])
  })
})
