/** The figures of `npm run interop`: which operation a request counts for, what a line of the log says, what the page shows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { accessLine } from '../../src/local/access-line.ts'
import { operationsIn, renderFidelity } from '../../src/pages/fidelity.ts'
import type { OpenApi } from '../../src/pages/openapi.ts'
import { Observed } from '../peer/fidelity.ts'
import { requestIn } from '../peer/worker.ts'

const ROOT = join(import.meta.dirname, '../..')
const contract = JSON.parse(readFileSync(join(ROOT, 'src/contract/openapi.json'), 'utf8')) as OpenApi
const operationOf = operationsIn(contract)

const outcomes = ['own: a', 'peer: a', 'tempest secure: a', 'tempest legacy: b', 'castellan: a', 'clients: a'].map(
  (name) => ({
    name,
    failure: name === 'tempest secure: a' ? 'it fails on purpose' : null,
  }),
)
const accepted = [{ name: 'tempest secure: a', reason: 'it `fails` <b>' }]

describe('the operation of a request', () => {
  it.each([
    ['GET', '/', 'GET /'],
    ['GET', '/v1', 'GET /v1'],
    ['GET', '/v1/', 'GET /v1'],
    ['GET', '/v1/secrets', 'GET /v1/secrets'],
    ['POST', '/v1/secrets/', 'POST /v1/secrets'],
    ['GET', '/v1/secrets/5d1b1a3c', 'GET /v1/secrets/{secret}'],
    ['GET', '/v1/secret-stores/preferred', 'GET /v1/secret-stores/preferred'],
    ['GET', '/v1/secret-stores/5d1b1a3c', 'GET /v1/secret-stores/{store}'],
    ['DELETE', '/v1/0a1b2c/secrets/5d1b1a3c', 'DELETE /v1/secrets/{secret}'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(operationOf(method, path)).toBe(operation)
  })

  it.each([
    ['PATCH', '/v1/secrets'],
    ['GET', '/v1/nothing/at/all'],
    ['GET', '/v1/nothing'],
    ['GET', '/v2/secrets'],
  ])('%s %s is none', (method, path) => {
    expect(operationOf(method, path)).toBeNull()
  })
})

it('a line of npm start is read as the request that it shows', () => {
  const entry = { event: 'request', time: '2026-11-30T03:36:23.961Z', method: 'POST', path: '/v1/orders', status: 202 }
  const line = (microversion: string | null) =>
    accessLine(JSON.stringify({ ...entry, milliseconds: 3, failure: null, microversion }))
  expect(line('1.1')).toBe('03:36:23 POST /v1/orders 1.1 202 3 ms')
  expect(requestIn(line('1.1'))).toEqual({ method: 'POST', path: '/v1/orders', microversion: '1.1' })
  expect(requestIn(line(null))).toEqual({ method: 'POST', path: '/v1/orders', microversion: '-' })
  for (const other of ['Portcullis is ready on http://127.0.0.1:9311', '  export TOKEN=x', '{"event":"swept"}'])
    expect(requestIn(other)).toBeNull()
})

describe('the figures of a run', () => {
  const observed = new Observed()
  const asked = { method: 'GET', path: '/v1/secrets', microversion: '1.0' }
  for (let times = 0; times < 3; times += 1) observed.note('tempest', asked)
  observed.noteTest('own', [asked, asked, { ...asked, path: '/v1/x/secrets' }, { ...asked, microversion: '1.1' }])
  observed.note('clients', { ...asked, path: '/v1/nothing' })
  const figures = observed.figures(outcomes, accepted)

  it('requests are counted each, tests once for each operation and microversion, and unknown paths not at all', () => {
    expect(figures.operations).toEqual([
      { operation: 'GET /v1/secrets', microversion: '1.0', counts: { tempest: 3, own: 1 } },
      { operation: 'GET /v1/secrets', microversion: '1.1', counts: { own: 1 } },
    ])
    expect(figures.suites.tempest).toEqual({ passed: 1, accepted: 1 })
  })

  it('there are no figures without one of the suites', () => {
    for (const missing of ['own', 'peer', 'tempest', 'castellan', 'clients']) {
      const others = outcomes.filter(({ name }) => !name.startsWith(missing))
      expect(() => observed.figures(others, accepted)).toThrow(/no outcome/)
    }
  })

  it('the page has every operation, a dash where nothing asked, and the reasons as text', () => {
    const { html } = renderFidelity(contract, figures)
    const row = `<td>1.0</td>${['1', '–', '3', '–', '–'].map((count) => `<td class="number">${count}</td>`).join('')}`
    const parts = [
      `<td><code>GET /v1/secrets</code></td>${row}`,
      '<code>DELETE /v1/secrets/{secret}</code></td><td>–</td>',
      'it <code>fails</code> &lt;b&gt;',
    ]
    for (const part of parts) expect([part, html.includes(part)]).toEqual([part, true])
  })
})
