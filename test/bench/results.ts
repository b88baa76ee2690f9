/** What was measured: medians over the rounds, and the tables that say it. */
import type { Measured } from './load.ts'
import { ceilings, operations, type Operation } from './operations.ts'

/** The target under which the ceilings are kept, each under its own name and under those of the operations below it. */
export const CEILINGS = 'ceilings'

export interface Circumstances {
  readonly rounds: number
  /** Measurements in a round over the typical number of connections; one over the others. */
  readonly turns: number
  /** Of each measurement. */
  readonly seconds: number
  readonly connections: readonly number[]
  readonly cores: number
}

/** An operation over some connections, beside its ceiling and, when there was one, the peer. */
export interface Compared {
  readonly operation: Operation
  readonly own: Measured
  readonly ceiling: Measured
  readonly peer: Measured | undefined
}

/** The value below which this share of them lies, from 0 to 1. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN]
  return low + (high - low) * (place - Math.floor(place))
}

const median = (values: readonly number[]): number => quantile(values, 0.5)

export class Results {
  readonly circumstances: Circumstances
  readonly #measured = new Map<string, Measured[]>()

  constructor(circumstances: Circumstances) {
    this.circumstances = circumstances
  }

  add(target: string, operation: string, connections: number, measured: Measured): void {
    const key = JSON.stringify([target, operation, connections])
    this.#measured.set(key, [...this.#all(target, operation, connections), measured])
  }

  #all(target: string, operation: string, connections: number): readonly Measured[] {
    return this.#measured.get(JSON.stringify([target, operation, connections])) ?? []
  }

  /** The medians over all rounds; undefined for what was not measured. */
  median(target: string, operation: string, connections: number): Measured | undefined {
    const all = this.#all(target, operation, connections)
    const of = (name: keyof Measured) => median(all.map((each) => each[name]))
    return all.length === 0 ? undefined : { rate: of('rate'), p50: of('p50'), p99: of('p99'), steady99: of('steady99') }
  }

  /** Of each measurement, its rate as a share of that of the ceiling, which was measured right after it. */
  sharesOfCeiling(operation: string, connections: number): number[] {
    const ceiling = this.#all(CEILINGS, operation, connections)
    return this.#all('Portcullis', operation, connections).map(({ rate }, at) => rate / (ceiling[at]?.rate ?? 0))
  }

  compare(connections: number): Compared[] {
    return operations.flatMap((operation) => {
      const own = this.median('Portcullis', operation.name, connections)
      const ceiling = this.median(CEILINGS, operation.name, connections)
      const peer = this.median('Barbican', operation.name, connections)
      return own && ceiling ? [{ operation, own, ceiling, peer }] : []
    })
  }

  /** The number of connections that the short table and the chart are about. */
  get typicalConnections(): number {
    const { connections } = this.circumstances
    return connections[Math.floor(connections.length / 2)] ?? 1
  }

  /** How often each round measures over so many connections. */
  turnsOver(connections: number): number {
    return connections === this.typicalConnections ? this.circumstances.turns : 1
  }
}

export const formatRate = (rate: number): string =>
  rate < 10 ? rate.toFixed(1) : Math.round(Number(rate.toPrecision(3))).toLocaleString('en')
const formatMilliseconds = (value: number): string =>
  value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
export const formatPercent = (ratio: number): string => `${Math.round(ratio * 100)} %`
export const formatFactor = (factor: number): string => `${factor < 10 ? factor.toFixed(1) : Math.round(factor)}×`

const tableOf = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')

/** The operations over some connections: rates in requests per second, p99 in milliseconds. */
export function comparisonTable(results: Results, connections: number): string {
  const compared = results.compare(connections)
  const withPeer = compared.some(({ peer }) => peer)
  const titles = ['operation', 'requests/s', 'p99 ms', 'ceiling', 'p99 ms', 'of ceiling']
  const peerTitles = ['Barbican', 'p99 ms', 'times faster']
  const head = withPeer ? [...titles, ...peerTitles] : titles
  const rows = compared.map(({ operation, own, ceiling, peer }) => [
    operation.name,
    formatRate(own.rate),
    formatMilliseconds(own.p99),
    formatRate(ceiling.rate),
    formatMilliseconds(ceiling.p99),
    formatPercent(own.rate / ceiling.rate),
    ...(peer ? [formatRate(peer.rate), formatMilliseconds(peer.p99), formatFactor(own.rate / peer.rate)] : []),
  ])
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** The p99 that requests have which come at a steady rate, in milliseconds, by number of connections. */
function steadyTable(results: Results): string {
  const { connections } = results.circumstances
  const compared = connections.map((count) => ({ count, rows: results.compare(count) }))
  const withPeer = compared.some(({ rows }) => rows.some(({ peer }) => peer))
  const targets = ['own', 'ceiling', ...(withPeer ? (['peer'] as const) : [])] as const
  const titles = { own: 'Portcullis', ceiling: 'ceiling', peer: 'Barbican' }
  const head = ['p99 ms', ...compared.flatMap(({ count }) => targets.map((target) => `${titles[target]}, ${count}`))]
  const rows = operations.map(({ name }, at) => [
    name,
    ...compared.flatMap(({ rows: all }) =>
      targets.map((target) => formatMilliseconds(all[at]?.[target]?.steady99 ?? Number.NaN)),
    ),
  ])
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** The ceilings by number of connections. */
function ceilingTable(results: Results): string {
  const { connections } = results.circumstances
  const head = ['requests/s', ...connections.map(String)]
  const rows = Object.values(ceilings).map(({ name }) => [
    name,
    ...connections.map((count) => formatRate(results.median(CEILINGS, name, count)?.rate ?? Number.NaN)),
  ])
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** How much single measurements over the typical number of connections differ. */
function spreadTable(results: Results): string {
  const head = ['of ceiling', 'lower quartile', 'median', 'upper quartile']
  const rows = operations.map(({ name }) => {
    const shares = results.sharesOfCeiling(name, results.typicalConnections)
    return [name, ...[0.25, 0.5, 0.75].map((share) => formatPercent(quantile(shares, share)))]
  })
  return tableOf([head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows])
}

/** What the figures over this number of connections come from. */
export function describeRun(results: Results, connections: number): string {
  const { rounds, seconds, cores } = results.circumstances
  const count = rounds * results.turnsOver(connections)
  const times = count === 1 ? 'One measurement' : `Medians of ${count} measurements`
  return `${times} of ${seconds} s in ${rounds} round${rounds === 1 ? '' : 's'} on one machine with ${cores} cores, which run the load too.`
}

/** All that was measured, as Markdown. */
export function describe(results: Results): string {
  const { connections } = results.circumstances
  const tables = connections.map(
    (count) =>
      `## ${count} connection${count === 1 ? '' : 's'}\n\n${describeRun(results, count)}\n\n${comparisonTable(results, count)}\n`,
  )
  const legend = operations.map(
    ({ name, legend, ceiling }) => `- ${name}: ${legend}. Ceiling: ${ceilings[ceiling].name}.\n`,
  )
  return `# Speed

Written by \`npm run bench\`. Each round has processes of its own.

${tables.join('')}## The ceilings, by connections

${ceilingTable(results)}
## How much the measurements differ

Over ${results.typicalConnections} connections. Each measurement of an operation is followed by one of its ceiling, and these are the quartiles of
what the one is of the other: half of the pairs lie between the lower and the upper.

${spreadTable(results)}
## At a steady rate

The p99 above is that of the answers: what 99 of 100 requests took. A pause shows little in it, because nobody asks
while it lasts. These are the p99 of requests that come at a steady rate, pause or not, as wrk reckons them, by the
number of connections.

${steadyTable(results)}
## What was measured

${legend.join('')}`
}
