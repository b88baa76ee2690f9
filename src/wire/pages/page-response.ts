/**
 * Answers with pages. A page runs no script, loads nothing from elsewhere, is shown in no frame, and is styled only by the
 * style elements that it was made with.
 */
import type { Context } from 'hono'
import { encodeUtf8 } from '../../crypto/encoding.ts'
import { tagsIn } from '../http/preconditions.ts'
import type { Service } from '../http/context.ts'
import { respond, setHeader } from '../http/response.ts'

const digestOf = async (text: string): Promise<string> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', encodeUtf8(text))).toBase64()

/**
 * Returns the policy of a page (CSP level 3), which admits the style elements of `made`: the page before anything that
 * depends on the request was put into it.
 */
async function policyOf(made: string): Promise<string> {
  const styles = [...made.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style = '']) => style)
  const hashes = await Promise.all(styles.map(async (style) => `'sha256-${await digestOf(style)}'`))
  return [
    "default-src 'none'",
    `style-src ${hashes.join(' ') || "'none'"}`,
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** What is sent: `made` is the text as it was built, `text` that text for this request. */
interface Page {
  readonly made: string
  readonly text: string
  readonly type: string
  readonly cacheControl: string
}

/** Answers a `GET` or `HEAD` with a page, or 304 if the client has it. */
export async function respondPage(c: Context<Service>, { made, text, type, cacheControl }: Page): Promise<Response> {
  const tag = await digestOf(text)
  setHeader(c, 'Content-Security-Policy', await policyOf(made))
  setHeader(c, 'X-Content-Type-Options', 'nosniff')
  setHeader(c, 'Referrer-Policy', 'no-referrer')
  setHeader(c, 'Cache-Control', cacheControl)
  setHeader(c, 'ETag', `"${tag}"`)
  const known = c.req.header('If-None-Match')
  if (known !== undefined && (known.trim() === '*' || tagsIn(known).includes(tag))) return respond(c, 304, null)
  return respond(c, 200, c.req.method === 'HEAD' ? null : text, type)
}
