/** What the look-ups cost, as tables and as a chart of bars. */
import { round, svgOf, WIDTH } from '../chart.ts'

/** The cost of a call of another Worker, as a multiple of an empty call over a service binding. */
interface PerCall {
  readonly memory: number
  readonly database: number
}

export interface LookUps {
  /** Milliseconds of a request far from the database, by what answers it. */
  readonly away: Readonly<Record<keyof typeof ways, number>>
  readonly rpc: PerCall
  readonly http: PerCall
}

/** How the tables and the chart name what answers a request far from the database. */
const ways = {
  primary: { isolate: 'cold, `no-cache`', trips: '1 to the primary' },
  stale: { isolate: 'cold, the replica may be too old', trips: '1 to the replica, 1 to the primary' },
  cold: { isolate: 'cold', trips: '1 to the replica' },
  warm: { isolate: 'warm', trips: '1 to the replica' },
  memory: { isolate: 'warm, `max-age`', trips: 'none' },
}
const waysInOrder = ['primary', 'stale', 'cold', 'warm', 'memory'] as const

/** What the chart says to those who do not see it. */
export const CHART = 'Time of a look-up far from the database, and its cost over a service binding'

const factor = (value: number) => value.toFixed(1)
const milliseconds = (value: number) => `${value.toFixed(0)} ms`

/** Returns both tables as Markdown. */
export function tablesOf({ away, rpc, http }: LookUps): string {
  const rows = waysInOrder.map((way) => {
    const { isolate, trips } = ways[way]
    return `| ${isolate} | ${trips} | ${milliseconds(away[way])} | ${(away[way] / away.primary).toFixed(2)} |`
  })
  return `A \`GET\` of a payload far from the database, where a trip to the primary takes 270 ms and one to a replica 5 ms:

| isolate | trips | time | of one that asks the primary |
| --- | --- | ---: | ---: |
${rows.join('\n')}

A call of another Worker in the same thread, as a multiple of an empty call over a service binding:

| call | from memory | from a local D1 |
| --- | ---: | ---: |
| \`KeyManager\` (RPC) | ${factor(rpc.memory)} | ${factor(rpc.database)} |
| HTTP through the binding | ${factor(http.memory)} | ${factor(http.database)} |
`
}

const ROW = 28
const BAR = 14
const LEFT = 256
const RIGHT = 96
/** The height of a group of bars beyond its rows. */
const HEADING = 52

interface Bar {
  readonly name: string
  readonly value: number
  readonly text: string
}

/** Bars below a title on a linear scale from zero; `top` is where the group begins. */
function group(top: number, title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const drawn = bars.map(({ name, value, text }, at) => {
    const y = top + HEADING + ROW * at
    const length = round(Math.max(1, ((WIDTH - LEFT - RIGHT) * value) / most))
    return `<g>
<title>${name}: ${text}</title>
<text class="end" x="${LEFT - 12}" y="${y + 4}">${name}</text>
<rect class="own" x="${LEFT}" y="${y - BAR / 2}" width="${length}" height="${BAR}" rx="2"/>
<text class="strong" x="${round(LEFT + Number(length) + 8)}" y="${y + 4}">${text}</text>
</g>`
  })
  return [`<text class="title" x="24" y="${top + 28}">${title}</text>`, ...drawn].join('\n')
}

/** Returns the chart as SVG: the request far from the database, and below it the calls over a binding. */
export function chartOf({ away, rpc, http }: LookUps): string {
  const far = waysInOrder.map((way) => {
    const name = ways[way].isolate.replaceAll('`', '')
    return { name, value: away[way], text: milliseconds(away[way]) }
  })
  const calls = [
    { name: 'RPC, from memory', value: rpc.memory },
    { name: 'HTTP, from memory', value: http.memory },
    { name: 'RPC, from a local D1', value: rpc.database },
    { name: 'HTTP, from a local D1', value: http.database },
  ].map((call) => ({ ...call, text: factor(call.value) }))
  const second = HEADING + ROW * far.length
  return svgOf(
    second + HEADING + ROW * calls.length,
    CHART,
    [
      group(0, 'A payload by HTTP, far from the database: milliseconds', far),
      group(second, 'A call over a service binding: multiples of an empty one', calls),
    ].join('\n'),
  )
}
