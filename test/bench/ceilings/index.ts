/**
 * What the platform itself costs: Workers that do the least that an operation cannot do without, on the bindings and
 * under the settings of the real one. A service on this platform is at best as fast as these.
 */
import { DurableObject } from 'cloudflare:workers'
import { Hono } from 'hono'

interface Bindings {
  readonly DB: D1Database
  readonly PROJECT: DurableObjectNamespace<ProjectObject>
}

/** As many columns, and about as many bytes, as the row of a secret without its payload. */
const TABLE = `CREATE TABLE entries (id TEXT PRIMARY KEY, project_id TEXT, creator_id TEXT, name TEXT, secret_type TEXT,
  algorithm TEXT, mode TEXT, bit_length INTEGER, expiration TEXT, created TEXT, updated TEXT, content_type TEXT,
  consumers TEXT)`

const COLUMNS = `?, '0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210', 'an entry', 'symmetric', 'aes',
  'cbc', 256, NULL, '2026-11-22T00:15:50.123000', '2026-11-22T00:15:50.123000', 'application/octet-stream', '[]'`

const insertion = ({ DB }: Bindings) => DB.prepare(`INSERT INTO entries VALUES (${COLUMNS})`)

/** Under the name of the real one, so that the settings of the real Worker fit. */
export class ProjectObject extends DurableObject<Bindings> {
  async insert(id: string): Promise<void> {
    await insertion(this.env).bind(id).run()
  }
}

const app = new Hono<{ Bindings: Bindings }>()

/** Makes `count` rows and answers with their ids. */
app.post('/fill/:count', async (c) => {
  const ids = Array.from({ length: Number(c.req.param('count')) }, () => crypto.randomUUID())
  const insert = insertion(c.env)
  await c.env.DB.batch([c.env.DB.prepare(TABLE), ...ids.map((id) => insert.bind(id))])
  return c.json(ids)
})

app.get('/hono', (c) => c.json({ status: 'ACTIVE' }))

app.get('/read/:id', async (c) => {
  const row = await c.env.DB.prepare('SELECT * FROM entries WHERE id = ?').bind(c.req.param('id')).first()
  return row ? c.json(row) : c.notFound()
})

app.post('/write', async (c) => {
  await c.req.json()
  const id = crypto.randomUUID()
  await c.env.DB.batch([insertion(c.env).bind(id)])
  return c.json({ id }, 201)
})

app.post('/object', async (c) => {
  await c.req.json()
  const id = crypto.randomUUID()
  await c.env.PROJECT.getByName('project').insert(id)
  return c.json({ id }, 201)
})

export default {
  fetch(request, env, context) {
    if (request.url.endsWith('/bare')) return new Response('{"status":"ACTIVE"}')
    return app.fetch(request, env, context)
  },
  /** There is nothing to sweep. */
  async scheduled() {},
} satisfies ExportedHandler<Bindings>
