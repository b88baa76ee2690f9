/**
 * The documentation under `/docs` and the OpenAPI document at `/openapi.json`: files that `src/pages` makes when the Worker
 * is built. They need no token and read no database, and are there while the configuration is invalid.
 */
import type { Context } from 'hono'
import { readConfig } from '../../config.ts'
import { fault } from '../../faults.ts'
import { baseOf, requireHttps } from '../gates.ts'
import type { Service } from '../http/context.ts'
import { escapeHtml } from '../http/microversion.ts'
import { setHeader } from '../http/response.ts'
import { respondPage } from './page-response.ts'

/** Stands in the pages for the address of the deployment, which only a request knows. */
const PLACEHOLDER = 'https://keys.example'

const HTML = 'text/html; charset=UTF-8'

const CACHE = 'public, max-age=300'

/** The file and the media type of a path, or null: only these reach the files. */
function fileOf(path: string): { readonly file: string; readonly type: string } | null {
  if (path === '/openapi.json') return { file: path, type: 'application/json' }
  if (path === '/docs') return { file: '/docs/index.html', type: HTML }
  if (/^\/docs\/[a-z-]+\.svg$/.test(path)) return { file: path, type: 'image/svg+xml' }
  // The index has one address.
  if (/^\/docs\/(?!index$)[a-z-]+$/.test(path)) return { file: `${path}.html`, type: HTML }
  return null
}

/** The base URL of the deployment, also while its configuration is invalid. */
async function addressOf(c: Context<Service>): Promise<string> {
  const config = await readConfig(c.env).catch(() => null)
  return baseOf(config, c.req.url)
}

/** Reads a file that was built. Throws `notFound` if there is none, and `unavailable` if the platform fails. */
async function readFile(c: Context<Service>, file: string): Promise<string> {
  // The host is not used: the path names the file.
  const found = await c.env.ASSETS.fetch(`https://pages${file}`)
  if (found.ok) return found.text()
  await found.body?.cancel()
  throw found.status === 404 ? fault('notFound') : fault('unavailable', `a page was answered with ${found.status}`)
}

/** Serves a page, an image or the OpenAPI document. Throws `methodNotAllowed` for other methods than `GET` and `HEAD`. */
export async function answerDocumentation(c: Context<Service>): Promise<Response> {
  requireHttps(c)
  const found = fileOf(c.req.path)
  if (found === null) throw fault('notFound')
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    setHeader(c, 'Allow', 'GET, HEAD')
    throw fault('methodNotAllowed')
  }
  const made = await readFile(c, found.file)
  const isPage = found.type === HTML
  const text = isPage ? made.replaceAll(PLACEHOLDER, escapeHtml(await addressOf(c))) : made
  return respondPage(c, { made, text, type: found.type, cacheControl: CACHE })
}
