/** The page that a browser gets at `/`: which service this is, whether it can serve, and where to read on. */
import type { Context, MiddlewareHandler } from 'hono'
import { VERSION } from '../../version.ts'
import { requireHttps } from '../gates.ts'
import { examinedHealth } from '../health.ts'
import { isBrowser } from '../http/accept.ts'
import type { Service } from '../http/context.ts'
import { escapeHtml, MAX_MICROVERSION, MIN_MICROVERSION } from '../http/microversion.ts'
import { setHeader } from '../http/response.ts'
import { respondPage } from './page-response.ts'

const STYLE =
  ':root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}' +
  'a{color:#0b57b0}@media(prefers-color-scheme:dark){body{background:#11151a;color:#e8edf2}a{color:#79b8ff}}'

/** The state in the words of `/healthcheck?detailed`, which everybody may ask as well. */
function page(reason: string | null): string {
  const state =
    reason === null ? 'It is configured and answers requests.' : `It refuses requests: ${escapeHtml(reason)}`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Portcullis</title><link rel="icon" href="/docs/icon.svg"><style>${STYLE}</style></head><body><main><h1>Portcullis ${VERSION}</h1>
<p>An OpenStack Key Manager: API v1, microversions ${MIN_MICROVERSION} to ${MAX_MICROVERSION}.</p><p>${state}</p>
<ul><li><a href="/docs">Documentation</a></li><li><a href="/docs/reference">Reference</a>, also as <a href="/openapi.json">OpenAPI document</a></li>
<li><a href="/healthcheck?detailed">State in detail</a></li><li><a href="/v1">The API</a>, which needs a token</li></ul></main></body></html>
`
}

/** Whether a browser asks, and no client of the API: those say which microversion or JSON they want. */
const isForBrowser = (c: Context<Service>): boolean =>
  c.req.method === 'GET' && c.req.header('OpenStack-API-Version') === undefined && isBrowser(c.req.header('Accept'))

/** Answers a browser at `/`; everybody else gets the version document from the next handler. */
export const frontPage: MiddlewareHandler<Service> = async function frontPage(c, next) {
  if (!isForBrowser(c)) return next()
  requireHttps(c)
  const { reason } = await examinedHealth(c.env)
  const text = page(reason)
  setHeader(c, 'Vary', 'Accept, OpenStack-API-Version')
  return respondPage(c, { made: page(''), text, type: 'text/html; charset=UTF-8', cacheControl: 'no-store' })
}
