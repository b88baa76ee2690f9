/**
 * Counts what a run of `npm run interop` asked of each operation, for the page that shows how far the service is tested
 * against Barbican: `src/docs/fidelity.json`, from which the build makes that page.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { operationsIn, type Fidelity, type Suite } from '../../src/pages/fidelity.ts'
import type { OpenApi } from '../../src/pages/openapi.ts'
import { VERSION } from '../../src/version.ts'
import { differences } from './accepted-answers.ts'
import type { AcceptedDifference } from './differences.ts'
import type { Outcome } from './report.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const FILE = join(ROOT, 'src/docs/fidelity.json')

/** A request that a client sent: method, path, and the microversion that was used, or `-`. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly microversion: string
}

/** The suites whose names begin the names of outcomes. */
const prefixes: Readonly<Record<Suite, RegExp>> = {
  own: /^own: /,
  barbican: /^peer: /,
  tempest: /^tempest /,
  castellan: /^castellan: /,
  clients: /^clients: /,
}
const suites = Object.keys(prefixes) as Suite[]

/** Collects the requests of a run. */
export class Observed {
  readonly #counts = new Map<string, Partial<Record<Suite, number>>>()
  readonly #operationOf = operationsIn(
    JSON.parse(readFileSync(join(ROOT, 'src/contract/openapi.json'), 'utf8')) as OpenApi,
  )

  /** Counts a request; one that belongs to no operation, such as a path that does not exist, is not counted. */
  readonly note = (suite: Suite, { method, path, microversion }: SeenRequest): void => {
    const operation = this.#operationOf(method, path)
    if (operation === null) return
    const key = `${operation} ${microversion}`
    const counts = this.#counts.get(key) ?? {}
    this.#counts.set(key, { ...counts, [suite]: (counts[suite] ?? 0) + 1 })
  }

  /** Counts each operation that a test asked for once, so that the figure is one of tests. */
  readonly noteTest = (suite: Suite, requests: readonly SeenRequest[]): void => {
    const asked = new Map<string, SeenRequest>()
    for (const request of requests) {
      const operation = this.#operationOf(request.method, request.path)
      asked.set(`${operation} ${request.microversion}`, request)
    }
    for (const request of asked.values()) this.note(suite, request)
  }

  /** Returns the figures of a run. Throws unless all suites have run, because the page must not show one that has not. */
  figures(outcomes: readonly Outcome[], accepted: readonly AcceptedDifference[]): Fidelity {
    const listed = new Set(accepted.map(({ name }) => name))
    const totals = suites.map((suite) => {
      const own = outcomes.filter(({ name }) => prefixes[suite].test(name))
      if (own.length === 0) throw new Error(`no outcome of the suite ${suite}`)
      const passed = own.filter(({ failure }) => failure === null).length
      return [suite, { passed, accepted: own.filter(({ name }) => listed.has(name)).length }] as const
    })
    return {
      version: VERSION,
      suites: Object.fromEntries(totals) as Fidelity['suites'],
      operations: [...this.#counts]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([key, counts]) => {
          const [method = '', path = '', microversion = ''] = key.split(' ')
          return { operation: `${method} ${path}`, microversion, counts }
        }),
      answers: Object.entries(differences).map(([name, reason]) => ({ name, reason })),
      tests: accepted.map(({ name, reason }) => ({ name, reason })),
    }
  }
}

/** Writes the figures for the build. */
export function writeFigures(figures: Fidelity): void {
  writeFileSync(FILE, `${JSON.stringify(figures, null, 2)}\n`)
}
