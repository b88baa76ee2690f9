/**
 * `npm run audit:verify -- page.json …`: checks an export of the audit log without the service. The files, or else the
 * standard input, hold answers of `GET /v1/audit`, one or a list of them, of one project and in any order.
 */
import { readFileSync } from 'node:fs'
import { findBreak, type ChainedEvent } from '../crypto/event-chain.ts'

interface Page {
  readonly events: readonly ChainedEvent[]
  readonly head?: { readonly number: number; readonly hash: string }
}

function pagesIn(text: string): Page[] {
  const pages: unknown[] = [JSON.parse(text)].flat()
  return pages.map((page) => {
    const { events } = page as Partial<Page>
    if (!Array.isArray(events)) throw new Error('this is no answer of GET /v1/audit')
    return page as Page
  })
}

/** What is wrong with the end of the export; null when it ends where the service said, or where nobody said. */
function wrongEnd(events: readonly ChainedEvent[], head: Page['head']): string | null {
  if (!head || head.number === 0) return null
  const event = events.find(({ number }) => number === head.number)
  if (!event) return `event ${head.number}, at which the service said the log ends, is not there`
  return event.hash === head.hash ? null : `event ${head.number} is not the one at which the service said the log ends`
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
  const end = wrongEnd(events, head)
  if (end) throw new Error(`the chain is cut off: ${end}`)
  const [first, last] = [events[0], events.at(-1)]
  if (!first || !last) return '0 events'
  const span = `${events.length} events, ${first.number} to ${last.number}, ${String(first['eventTime'])} to ${String(last['eventTime'])}`
  const before = first.number > 1 ? `; what came before event ${first.number} is not in it` : ''
  return `${span}: whole${before}${head ? '' : '; without head=true nothing says where it ends'}`
}

try {
  console.log(await verify(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
