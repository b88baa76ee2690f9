/**
 * `npm run audit:verify -- page.json …`: verifies an export of the audit log offline. The files, or else the standard
 * input, contain responses of `GET /v1/audit` for one project, in any order; each file has one response or a list of
 * them.
 */
import { readFileSync } from 'node:fs'
import { runCommand } from './command.ts'
import { StartError } from './options.ts'
import { findBreak, type ChainedEvent } from '../crypto/event-chain.ts'

interface Page {
  readonly events: readonly ChainedEvent[]
  readonly head?: { readonly number: number; readonly hash: string }
}

function pagesIn(text: string): Page[] {
  const pages: unknown[] = [JSON.parse(text)].flat()
  return pages.map((page) => {
    const { events } = page as Partial<Page>
    if (!Array.isArray(events)) throw new Error('not a response of GET /v1/audit')
    return page as Page
  })
}

/** Returns why the export is truncated; null if it includes the head of the log, or no page has a head. */
function endFault(events: readonly ChainedEvent[], head: Page['head']): string | null {
  if (!head || head.number === 0) return null
  const event = events.find(({ number }) => number === head.number)
  if (!event) return `event ${head.number}, which the service reported as the last, is missing`
  return event.hash === head.hash ? null : `event ${head.number} is not the event that the service reported as the last`
}

async function verify(files: readonly string[]): Promise<string> {
  const texts = files.length > 0 ? files.map((file) => readFileSync(file, 'utf8')) : [readFileSync(0, 'utf8')]
  const pages = texts
    .flatMap(pagesIn)
    .toSorted((one, other) => (one.events[0]?.number ?? Infinity) - (other.events[0]?.number ?? Infinity))
  const events = pages.flatMap((page) => page.events)
  const head = pages.map((page) => page.head).findLast((one) => one !== undefined)
  const broken = await findBreak(events)
  if (broken) throw new Error(`the chain is broken: ${broken.reason}`)
  const end = endFault(events, head)
  if (end) throw new Error(`the chain is truncated: ${end}`)
  const [first, last] = [events[0], events.at(-1)]
  if (!first || !last) return '0 events'
  const span = `${events.length} events, ${first.number} to ${last.number}, ${String(first['eventTime'])} to ${String(last['eventTime'])}`
  const before = first.number > 1 ? `; events before ${first.number} are not included` : ''
  return `${span}: intact${before}${head ? '' : '; without head=true, missing events at the end cannot be detected'}`
}

const USAGE = `
npm run audit:verify [-- FILE …]: verifies an export of the audit log; without a file, that of the standard input

  FILE      responses of GET /v1/audit?head=true for one project, in any order
  --help    this text
`

await runCommand(USAGE, async (files) => {
  const result = await verify(files).catch((error: Error) => {
    throw new StartError(error.message)
  })
  console.log(result)
})
