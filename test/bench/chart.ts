/**
 * The chart of operations: one row per operation on a logarithmic scale of requests per second, with Barbican, the service and the
 * ceiling. SVG is generated without a library and adapts to light and dark pages.
 */
import { formatFactor, formatPercent, formatRate, type Compared, type Results } from './results.ts'

/** The width of a chart. */
export const WIDTH = 880
const ROW = 34
const TOP = 92
const BOTTOM = 44
const LEFT = 168
const RIGHT = 232
const PLOT = WIDTH - LEFT - RIGHT

const style = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .muted { fill: #59636e; }
  .small { font-size: 12px; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .strong { font-weight: 600; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .lead { stroke: #f6821f; stroke-opacity: .3; stroke-width: 8; }
  .own { fill: #f6821f; }
  .peer { fill: #818b98; }
  .ceiling { stroke: #1f2328; stroke-width: 2; stroke-linecap: round; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .muted { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .ceiling { stroke: #f0f6fc; }
  }`

/** A position or length as SVG has it. */
export const round = (value: number): string => String(Math.round(value * 10) / 10)

/** The factor by which the scale extends beyond the rates. */
const MARGIN = 1.4

/** Returns the scale: the position of a rate, and the powers of ten on it. */
function scaleOf(rates: readonly number[]) {
  const least = Math.log10(Math.min(...rates) / MARGIN)
  const most = Math.log10(Math.max(...rates) * MARGIN)
  const first = Math.ceil(least)
  const powers = Array.from({ length: Math.floor(most) - first + 1 }, (_, at) => 10 ** (first + at))
  return { powers, at: (rate: number) => LEFT + (PLOT * (Math.log10(rate) - least)) / (most - least) }
}

type Scale = ReturnType<typeof scaleOf>

function grid({ powers, at }: Scale, bottom: number): string {
  return powers
    .map((power) => {
      const x = round(at(power))
      return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 14}" y2="${bottom}"/>
<text class="muted small middle" x="${x}" y="${bottom + 20}">${power.toLocaleString('en')}</text>`
    })
    .join('\n')
}

function line({ operation, own, ceiling, barbican }: Compared, scale: Scale, y: number): string {
  const [x, top] = [scale.at(own.rate), scale.at(ceiling.rate)]
  // The bar starts at Barbican or, without it, at the ceiling.
  const begin = barbican ? scale.at(barbican.rate) : top
  const texts = WIDTH - RIGHT
  return `<g>
<title>${operation.name}: ${formatRate(own.rate)} requests per second</title>
<text class="end" x="${LEFT - 18}" y="${y + 4}">${operation.name}</text>
<line class="lead" x1="${round(begin)}" x2="${round(x)}" y1="${y}" y2="${y}"/>
<line class="ceiling" x1="${round(top)}" x2="${round(top)}" y1="${y - 9}" y2="${y + 9}"/>
${barbican ? `<circle class="peer" cx="${round(begin)}" cy="${y}" r="5"/>` : ''}
<circle class="own" cx="${round(x)}" cy="${y}" r="6.5"/>
<text class="end strong" x="${texts + 62}" y="${y + 4}">${formatRate(own.rate)}</text>
<text class="end muted" x="${texts + 129}" y="${y + 4}">${formatPercent(own.rate / ceiling.rate)}</text>
${barbican ? `<text class="end" x="${texts + 208}" y="${y + 4}">${formatFactor(own.rate / barbican.rate)}</text>` : ''}
</g>`
}

function heading(withBarbican: boolean, connections: number): string {
  const texts = WIDTH - RIGHT
  const plural = connections === 1 ? 'connection' : 'connections'
  const y = 50
  return `<text class="title" x="24" y="28">Requests per second over ${connections} ${plural}, logarithmic</text>
<circle class="own" cx="31" cy="${y - 4}" r="6.5"/><text class="small" x="44" y="${y}">Portcullis</text>
<line class="ceiling" x1="128" x2="128" y1="${y - 13}" y2="${y + 5}"/><text class="small" x="138" y="${y}">the platform’s ceiling</text>
${withBarbican ? `<circle class="peer" cx="291" cy="${y - 4}" r="5"/><text class="small" x="303" y="${y}">Barbican</text>` : ''}
<text class="muted small end" x="${texts + 62}" y="${y}">requests/s</text>
<text class="muted small end" x="${texts + 129}" y="${y}">of ceiling</text>
${withBarbican ? `<text class="muted small end" x="${texts + 208}" y="${y}">vs Barbican</text>` : ''}`
}

/** Returns an SVG of {@link WIDTH} with the style of all charts; `label` says what it shows. */
export const svgOf = (height: number, label: string, content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}">
<style>${style}
</style>
${content}
</svg>
`

/** Returns the chart as SVG, for the typical number of connections. */
export function chart(results: Results): string {
  const connections = results.typicalConnections
  const compared = results.compare(connections)
  const rates = compared.flatMap(({ own, ceiling, barbican }) => [
    own.rate,
    ceiling.rate,
    ...(barbican ? [barbican.rate] : []),
  ])
  const scale = scaleOf(rates)
  const bottom = TOP + ROW * (compared.length - 1) + 20
  const lines = compared.map((row, at) => line(row, scale, TOP + ROW * at))
  const withBarbican = compared.some(({ barbican }) => barbican)
  const content = [heading(withBarbican, connections), grid(scale, bottom), ...lines].join('\n')
  return svgOf(bottom + BOTTOM, 'Requests per second of Portcullis by operation', content)
}
