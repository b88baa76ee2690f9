/** Sealed payloads and wrapped project keys open only in the row, project and version they were sealed for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { call, database, isolate } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

const MARK = 'the plaintext that must never leave its place'

/** The log entries of the failures below. */
const log = vi.spyOn(console, 'error').mockImplementation(() => {})
afterAll(() => {
  log.mockRestore()
})

function expectSilentLog(): void {
  for (const line of log.mock.calls) expect(JSON.stringify(line)).not.toContain(MARK)
}

describe('a stored payload', () => {
  let who: Person
  let other: Person
  let ref: string
  let neighbour: string
  let foreign: string

  const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
  beforeAll(async () => {
    who = await owner()
    other = await owner()
  })
  beforeEach(async () => {
    ref = await secret(who, text(MARK))
    neighbour = await secret(who, text('another payload'))
    foreign = await secret(other, text('a payload of another project'))
  })

  const run = async (statement: string, ...values: readonly unknown[]) => {
    const { meta } = await database
      .prepare(statement)
      .bind(...values)
      .run()
    expect(meta.changes).toBeGreaterThan(0)
  }

  async function sealedOf(at: string): Promise<Uint8Array> {
    const row = await database
      .prepare('select sealed from secrets where id = ?')
      .bind(idOf(at))
      .first<{ sealed: number[] }>()
    return Uint8Array.from(row?.sealed ?? [])
  }

  const store = (at: string, sealed: Uint8Array) => run('update secrets set sealed = ? where id = ?', sealed, idOf(at))

  /** Checks that an isolate without cached keys cannot read the payload, and that the client is not told why. */
  async function expectUnopened(path: string, by: Person): Promise<void> {
    for (const ask of [isolate(), call]) {
      for (const [suffix, Accept] of [
        ['/payload', 'text/plain'],
        ['/payload', 'application/octet-stream'],
        ['', 'text/plain'],
      ] as const) {
        const answer = await ask('GET', path + suffix, { token: by.token, headers: { Accept } })
        expect(answer.status).toBe(500)
        const operation = suffix ? 'Secret payload retrieval' : 'Secret retrieval'
        const description = `${operation} failure seen - please contact site administrator.`
        expect(answer.json).toEqual({ code: 500, title: 'Internal Server Error', description })
      }
    }
    expect(log).toHaveBeenCalled()
    expectSilentLog()
  }

  it('a stored payload opens in its own row', async () => {
    expect((await isolate()('GET', `${ref}/payload`, { token: who.token })).text).toBe(MARK)
  })

  it('a stored payload does not open in the row of another secret of the project', async () => {
    await store(neighbour, await sealedOf(ref))
    await expectUnopened(neighbour, who)
  })

  it('two stored payloads whose rows are exchanged do not open', async () => {
    const [one, two] = [await sealedOf(ref), await sealedOf(neighbour)]
    await store(ref, two)
    await store(neighbour, one)
    await expectUnopened(ref, who)
    await expectUnopened(neighbour, who)
  })

  it('a stored payload does not open in a row of another project', async () => {
    await store(foreign, await sealedOf(ref))
    await expectUnopened(foreign, other)
  })

  it('a stored payload does not open when its row is moved to another project', async () => {
    await run('update secrets set project_id = ? where id = ?', other.projectId, idOf(ref))
    await expectUnopened(ref, other)
  })

  it('a stored payload does not open when its row has another id', async () => {
    const id = crypto.randomUUID()
    await run('update secrets set id = ? where id = ?', id, idOf(ref))
    await expectUnopened(`/v1/secrets/${id}`, who)
  })

  it.each([
    ['a bit of the format', (bytes: Uint8Array) => bytes.with(0, (bytes.at(0) ?? 0) ^ 1)],
    ['the key version', (bytes: Uint8Array) => bytes.with(4, (bytes.at(4) ?? 0) ^ 2)],
    ['a bit of the nonce', (bytes: Uint8Array) => bytes.with(5, (bytes.at(5) ?? 0) ^ 0x80)],
    ['a bit of the ciphertext', (bytes: Uint8Array) => bytes.with(20, (bytes.at(20) ?? 0) ^ 1)],
    ['a bit of the tag', (bytes: Uint8Array) => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)],
    ['its end', (bytes: Uint8Array) => bytes.slice(0, -1)],
    ['all but its head', (bytes: Uint8Array) => bytes.slice(0, 17)],
    ['everything', () => new Uint8Array(0)],
    ['everything, for plaintext', () => new TextEncoder().encode(MARK)],
  ])('a stored payload does not open without %s', async (_, damage) => {
    await store(ref, damage(await sealedOf(ref)))
    await expectUnopened(ref, who)
  })

  it('a stored payload does not open when its row names another version of the key', async () => {
    await run('update secrets set key_version = 2 where id = ?', idOf(ref))
    await expectUnopened(ref, who)
  })

  it('a stored payload that does not open leaves the rest of the service working', async () => {
    await store(ref, new Uint8Array(40))
    expect((await call('GET', `${neighbour}/payload`, { token: who.token })).text).toBe('another payload')
    expect((await call('GET', ref, { token: who.token })).status).toBe(200)
    expect((await call('GET', '/v1/secrets?limit=100', { token: who.token })).status).toBe(200)
    expect((await call('DELETE', ref, { token: who.token })).status).toBe(204)
  })
})

describe('a project key', () => {
  const text = { payload: MARK, payload_content_type: 'text/plain' }
  const unopened = async (ref: string, by: Person) => {
    const answer = await isolate()('GET', `${ref}/payload`, { token: by.token })
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain(MARK)
    expectSilentLog()
  }

  it('a project key of another project does not open', async () => {
    const [who, other] = [await owner(), await owner()]
    const [ref] = [await secret(who, text), await secret(other, text)]
    await database
      .prepare(
        'update project_keys set wrapped = (select wrapped from project_keys where project_id = ?) where project_id = ?',
      )
      .bind(other.projectId, who.projectId)
      .run()
    await unopened(ref, who)
    const made = await isolate()('POST', '/v1/secrets', { token: who.token, json: text })
    expect(made.status).toBe(500)
  })

  it('a damaged project key does not open, and no new one replaces it', async () => {
    const who = await owner()
    const ref = await secret(who, text)
    await database
      .prepare('update project_keys set wrapped = zeroblob(length(wrapped)) where project_id = ?')
      .bind(who.projectId)
      .run()
    await unopened(ref, who)
    expect((await isolate()('POST', '/v1/secrets', { token: who.token, json: text })).status).toBe(500)
    const { results } = await database
      .prepare('select version from project_keys where project_id = ?')
      .bind(who.projectId)
      .all()
    expect(results).toEqual([{ version: 1 }])
  })

  it('a missing project key opens nothing', async () => {
    const who = await owner()
    const ref = await secret(who, text)
    await database.prepare('delete from project_keys where project_id = ?').bind(who.projectId).run()
    await unopened(ref, who)
  })

  it('a project key does not open under another master key of the same id', async () => {
    const who = await owner()
    const ref = await secret(who, text)
    const bytes = crypto.getRandomValues(new Uint8Array(32))
    const ask = isolate({ MASTER_KEYS: `test:${btoa(String.fromCharCode(...bytes))}` })
    expect((await ask('GET', `${ref}/payload`, { token: who.token })).text).not.toContain(MARK)
  })
})

it('no payload and no key is stored in the clear in the database', async () => {
  const who = await owner()
  const payload = `${MARK} ${crypto.randomUUID()}`
  const ref = await secret(who, { payload, payload_content_type: 'text/plain' })
  const json = { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } }
  const placed = await call('POST', '/v1/orders', { token: who.token, json })
  const order = await call('GET', placed.json.order_ref, { token: who.token })
  const key = (await call('GET', `${order.json.secret_ref}/payload`, { token: who.token })).bytes
  const binary = (bytes: Uint8Array) => String.fromCharCode(...bytes)
  const needles = [payload, btoa(payload), binary(key), btoa(binary(key))]
  const tables = await database
    .prepare("select name from sqlite_master where type = 'table' and name not like '\\_%' escape '\\'")
    .all<{ name: string }>()
  let read = 0
  for (const { name } of tables.results) {
    const rows = await database.prepare(`select * from "${name}"`).raw()
    read += rows.length
    for (const value of rows.flat()) {
      const stored = Array.isArray(value) ? binary(Uint8Array.from(value)) : String(value)
      for (const needle of needles) expect(stored).not.toContain(needle)
    }
  }
  expect(read).toBeGreaterThan(3)
  expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe(payload)
})
