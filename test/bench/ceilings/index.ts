/**
 * The ceilings of the platform: a Worker with the minimum of work that each kind of operation needs, on the same
 * bindings and settings as the real one. A service on this platform is at best as fast as this Worker.
 */
import { DurableObject } from 'cloudflare:workers'
import { Hono } from 'hono'

interface Bindings {
  readonly DB: D1Database
  readonly PROJECT: DurableObjectNamespace<ProjectObject>
}

/** A table with as many columns and about as many bytes per row as that of secrets, without the payload. */
const TABLE = `CREATE TABLE entries (id TEXT PRIMARY KEY, project_id TEXT, creator_id TEXT, name TEXT, secret_type TEXT,
  algorithm TEXT, mode TEXT, bit_length INTEGER, expiration TEXT, created TEXT, updated TEXT, content_type TEXT,
  consumers TEXT)`

const COLUMNS = `?, '0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210', 'an entry', 'symmetric', 'aes',
  'cbc', 256, NULL, '2026-11-22T00:15:50.123000', '2026-11-22T00:15:50.123000', 'application/octet-stream', '[]'`

const insertion = ({ DB }: Bindings) => DB.prepare(`INSERT INTO entries VALUES (${COLUMNS})`)

/** Has the same name as the real class, so that the settings of the real Worker apply. */
export class ProjectObject extends DurableObject<Bindings> {
  async insert(id: string): Promise<void> {
    await insertion(this.env).bind(id).run()
  }
}

const app = new Hono<{ Bindings: Bindings }>()

/** Creates `count` rows and returns their ids. */
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
  /** The local runtime calls this handler regularly; there is nothing to sweep. */
  async scheduled() {},
} satisfies ExportedHandler<Bindings>
