/** Every operation refuses a path that names nothing, with the failures that its table declares for that. */
import { beforeAll, describe, expect, it } from 'vitest'
import contract from '../../src/contract/openapi.json'
import { call } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, type Person } from '../support/people.ts'
import { secret } from '../support/stored.ts'

interface Operation {
  readonly operationId?: string
  readonly 'x-faults'?: readonly string[]
}

const ABSENT = '00000000-0000-4000-8000-000000000000'

/** What a path names, by the failure that refuses it. */
const names: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  secretId: { secret: 'no-id' },
  secretNotFound: { secret: ABSENT },
  versionNotFound: { version: '7' },
  containerId: { container: 'no-id' },
  containerNotFound: { container: ABSENT },
  orderNotFound: { order: ABSENT },
  authorityNotFound: { authority: ABSENT },
  transportKeyId: { key: 'no-id' },
}

const sentences: Readonly<Record<string, { readonly status: number; readonly sentence: string | null }>> =
  contract.components['x-failures']

const cases = Object.entries(contract.paths as unknown as Readonly<Record<string, Readonly<Record<string, Operation>>>>)
  .filter(([path]) => path.startsWith('/v1/'))
  .flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { 'x-faults': faults = [] }]) =>
      faults.flatMap((fault) => {
        const [name = ''] = Object.keys(names[fault] ?? {})
        return path.includes(`{${name}}`) && name !== '' ? [{ method: method.toUpperCase(), path, fault }] : []
      }),
    ),
  )

let who: Person
let existing: string

beforeAll(async () => {
  who = await owner()
  const ref = await secret(who, { payload: 'open sesame', payload_content_type: 'text/plain' })
  existing = ref.slice(ref.lastIndexOf('/') + 1)
}, HOOK_MILLISECONDS)

describe('a path that names nothing', () => {
  it.each(cases)('$method $path is refused with $fault', async ({ method, path, fault }) => {
    const named = { secret: existing, consumer: ABSENT, ...names[fault] } as Readonly<Record<string, string>>
    const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => named[name] ?? '1')
    const { status, json } = await call(method, target, { token: who.token })
    expect({ status, sentence: json.description }).toEqual(sentences[fault])
  })
})
