/** The results: medians over the rounds, and the tables that show them. */
import type { Measured } from './load.ts'
import { ceilings, operations, type Operation } from './operations.ts'

/**
 * The target name of the ceilings. Each is stored under its own name and under those of the operations that it bounds.
 */
export const CEILINGS = 'ceilings'

export interface RunSettings {
  readonly rounds: number
  /** Measurements per round with the typical number of connections; there is one with each other number. */
  readonly repetitions: number
  /** The duration of each measurement. */
  readonly seconds: number
  readonly connections: readonly number[]
  readonly cores: number
}

/** The results of an operation, of its ceiling and, if it was measured, of Barbican. */
export interface Compared {
  readonly operation: Operation
  readonly own: Measured
  readonly ceiling: Measured
  readonly barbican: Measured | undefined
}

/** Returns the quantile for a share from 0 to 1, interpolated. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN]
  return low + (high - low) * (place - Math.floor(place))
}

const median = (values: readonly number[]): number => quantile(values, 0.5)

export class Results {
  readonly settings: RunSettings
  readonly #measured = new Map<string, Measured[]>()

  constructor(settings: RunSettings) {
    this.settings = settings
  }

  add(target: string, operation: string, connections: number, measured: Measured): void {
    const key = JSON.stringify([target, operation, connections])
    this.#measured.set(key, [...this.#all(target, operation, connections), measured])
  }

  #all(target: string, operation: string, connections: number): readonly Measured[] {
    return this.#measured.get(JSON.stringify([target, operation, connections])) ?? []
  }

  /** Returns the medians over all rounds; undefined if it was not measured. */
  median(target: string, operation: string, connections: number): Measured | undefined {
    const all = this.#all(target, operation, connections)
    const of = (name: keyof Measured) => median(all.map((each) => each[name]))
    return all.length === 0 ? undefined : { rate: of('rate'), p50: of('p50'), p99: of('p99'), steady99: of('steady99') }
  }

  /** Returns, for each measurement, its rate divided by that of its ceiling, which was measured directly after it. */
  sharesOfCeiling(operation: string, connections: number): number[] {
    const ceiling = this.#all(CEILINGS, operation, connections)
    return this.#all('Portcullis', operation, connections).map(({ rate }, at) => rate / (ceiling[at]?.rate ?? 0))
  }

  /** Returns, for each measurement, the ratio of the rates of two operations, which were measured in the same pass. */
  ratios(operation: string, beside: string, connections: number): number[] {
    const others = this.#all('Portcullis', beside, connections)
    return this.#all('Portcullis', operation, connections).map(({ rate }, at) => rate / (others[at]?.rate ?? 0))
  }

  compare(connections: number): Compared[] {
    return operations.flatMap((operation) => {
      const own = this.median('Portcullis', operation.name, connections)
      const ceiling = this.median(CEILINGS, operation.name, connections)
      const barbican = this.median('Barbican', operation.name, connections)
      return own && ceiling ? [{ operation, own, ceiling, barbican }] : []
    })
  }

  /** The number of connections in the table of `src/docs/speed.md` and in the chart. */
  get typicalConnections(): number {
    const { connections } = this.settings
    return connections[Math.floor(connections.length / 2)] ?? 1
  }

  /** The measurements per round with this number of connections. */
  repetitionsOver(connections: number): number {
    return connections === this.typicalConnections ? this.settings.repetitions : 1
  }
}

/** Formats a figure; what was not measured is a dash. */
const figure = (format: (value: number) => string) => (value: number) => (Number.isNaN(value) ? '–' : format(value))

export const formatRate = figure((rate) =>
  rate < 10 ? rate.toFixed(1) : Math.round(Number(rate.toPrecision(3))).toLocaleString('en'),
)
const formatMilliseconds = figure((value) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')))
export const formatPercent = figure((ratio) => `${Math.round(ratio * 100)} %`)
export const formatFactor = (factor: number): string => `${factor < 10 ? factor.toFixed(1) : Math.round(factor)}×`

const tableOf = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')

/** Returns the table of all operations: rates in requests per second, p99 in milliseconds. */
export function comparisonTable(results: Results, connections: number): string {
  const compared = results.compare(connections)
  const withBarbican = compared.some(({ barbican }) => barbican)
  const titles = ['operation', 'requests/s', 'p99 ms', 'ceiling', 'p99 ms', 'of ceiling']
  const barbicanTitles = ['Barbican', 'p99 ms', 'times faster']
  const head = withBarbican ? [...titles, ...barbicanTitles] : titles
  const rows = compared.map(({ operation, own, ceiling, barbican }) => [
    operation.name,
    formatRate(own.rate),
    formatMilliseconds(own.p99),
    formatRate(ceiling.rate),
    formatMilliseconds(ceiling.p99),
    formatPercent(own.rate / ceiling.rate),
    ...(barbican
      ? [formatRate(barbican.rate), formatMilliseconds(barbican.p99), formatFactor(own.rate / barbican.rate)]
      : barbicanTitles.slice(0, head.length - titles.length).map(() => '–')),
  ])
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** Returns the p99, in milliseconds, of requests that arrive at a steady rate, by number of connections. */
function steadyTable(results: Results): string {
  const { connections } = results.settings
  const compared = connections.map((count) => ({ count, rows: results.compare(count) }))
  const withBarbican = compared.some(({ rows }) => rows.some(({ barbican }) => barbican))
  const targets = ['own', 'ceiling', ...(withBarbican ? (['barbican'] as const) : [])] as const
  const titles = { own: 'Portcullis', ceiling: 'ceiling', barbican: 'Barbican' }
  const head = ['p99 ms', ...compared.flatMap(({ count }) => targets.map((target) => `${titles[target]}, ${count}`))]
  const rows = operations.map(({ name }) => [
    name,
    ...compared.flatMap(({ rows: all }) => {
      const measured = all.find(({ operation }) => operation.name === name)
      return targets.map((target) => formatMilliseconds(measured?.[target]?.steady99 ?? Number.NaN))
    }),
  ])
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** Returns the rates of the ceilings by number of connections. */
function ceilingTable(results: Results): string {
  const { connections } = results.settings
  const head = ['requests/s', ...connections.map(String)]
  const rows = Object.values(ceilings).map(({ name }) => [
    name,
    ...connections.map((count) => formatRate(results.median(CEILINGS, name, count)?.rate ?? Number.NaN)),
  ])
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** Returns the variation between measurements with the typical number of connections. */
function spreadTable(results: Results): string {
  const head = ['of ceiling', 'lower quartile', 'median', 'upper quartile']
  const rows = operations.map(({ name }) => {
    const shares = results.sharesOfCeiling(name, results.typicalConnections)
    return [name, ...[0.25, 0.5, 0.75].map((share) => formatPercent(quantile(shares, share)))]
  })
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** Returns the rates of operations that Barbican does not have as parts of those of another operation. */
function besideTable(results: Results): string {
  const head = ['operation', 'of', 'lower quartile', 'median', 'upper quartile']
  const rows = operations.flatMap(({ name, beside }) => {
    if (beside === undefined) return []
    const ratios = results.ratios(name, beside, results.typicalConnections)
    return [[name, beside, ...[0.25, 0.5, 0.75].map((share) => formatPercent(quantile(ratios, share)))]]
  })
  return tableOf([head, head.map((_, at) => (at < 2 ? '---' : '--:')), ...rows])
}

/** Describes how the figures for this number of connections were measured. */
export function describeRun(results: Results, connections: number): string {
  const { rounds, seconds, cores } = results.settings
  const count = rounds * results.repetitionsOver(connections)
  const times = count === 1 ? 'One measurement' : `Medians of ${count} measurements`
  return `${times} of ${seconds} s in ${rounds} round${rounds === 1 ? '' : 's'} on one machine with ${cores} cores, which also generates the load.`
}

/** Returns all results as Markdown. */
export function describe(results: Results): string {
  const { connections } = results.settings
  const tables = connections.map(
    (count) =>
      `## ${count} connection${count === 1 ? '' : 's'}\n\n${describeRun(results, count)}\n\n${comparisonTable(results, count)}\n`,
  )
  const legend = operations.map(
    ({ name, legend, ceiling }) => `- ${name}: ${legend}. Ceiling: ${ceilings[ceiling].name}.\n`,
  )
  return `# Speed

Written by \`npm run bench\`. Each round uses new processes.

${tables.join('')}## The ceilings, by connections

${ceilingTable(results)}
## How much the measurements differ

With ${results.typicalConnections} connections. Each measurement of an operation is followed by one of its ceiling. These are the quartiles
of the ratio of the two rates: half of the pairs lie between the lower and the upper quartile.

${spreadTable(results)}
## The use of keys

Barbican has none. These are the rates over ${results.typicalConnections} connections as parts of that of a payload read, which was measured in the same
pass.

${besideTable(results)}
## At a steady rate

The p99 above is that of the responses. A pause has little effect on it, because each connection waits for its response
and sends no requests during the pause. These are the p99 of requests that arrive at a steady rate, also during a pause,
as computed by wrk, by number of connections.

${steadyTable(results)}
## What was measured

${legend.join('')}`
}
