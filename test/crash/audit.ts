/** Verifies the audit log after the crashes: every acknowledged change has its event, and the chain is intact. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Acknowledged } from './acknowledged.ts'
import { idOf, type Client } from './client.ts'

/** The maximum time until an event is sealed. */
const MOST_SEALING_MILLISECONDS = 60_000
const VERIFIER = resolve(import.meta.dirname, '../../src/local/audit-verify.ts')

interface Event {
  readonly action: string
  readonly target: { readonly id: string; readonly typeURI: string }
  readonly number: number
}

interface Page {
  readonly events: Event[]
  readonly marker?: number
  readonly head: unknown
  /** Manipulations that the service itself has detected: truncated logs, and rows with invalid MACs. */
  readonly incidents: readonly unknown[]
  readonly rows: readonly unknown[]
}

async function exportLog({ url, token }: Client): Promise<Page[]> {
  const pages: Page[] = []
  for (let marker: number | undefined = 0; marker !== undefined; marker = pages.at(-1)?.marker) {
    const query = `limit=100&head=true&marker=${marker}`
    const response = await fetch(`${url}/v1/audit?${query}`, { headers: { 'X-Auth-Token': token } })
    if (response.status !== 200) throw new Error(`the audit log is ${response.status}: ${await response.text()}`)
    const page: Page = await response.json()
    pages.push(page)
  }
  return pages
}

/** Returns the CADF type of a resource, which its events contain. */
const targetOf = (ref: string) => {
  const kind = ['secret', 'container', 'order'].find((one) => ref.includes(`/${one}s/`))
  return `data/security/${kind}`
}

/** Returns the acknowledged changes without an event, as `action target id`. */
function missing(pages: readonly Page[], { changed, versions }: Acknowledged): string[] {
  const events = pages.flatMap((page) => page.events)
  const logged = new Set(events.map(({ action, target }) => `${action} ${target.typeURI} ${target.id}`))
  const expected = Object.entries(changed).flatMap(([action, refs]) =>
    [...refs].map((ref) => {
      const target = action === 'revoke' ? 'data/security/certificate' : targetOf(ref)
      return `${action} ${target} ${idOf(ref)}`
    }),
  )
  const replaced = Map.groupBy(
    events.filter(({ action, target }) => action === 'update' && target.typeURI === 'data/security/secret/payload'),
    ({ target }) => target.id,
  )
  const unlogged = [...versions].filter(
    ([ref, { payloads }]) => (replaced.get(idOf(ref))?.length ?? 0) < payloads.size - 1,
  )
  return [...expected.filter((event) => !logged.has(event)), ...unlogged.map(([ref]) => `a version of ${ref}`)]
}

function verifier(
  file: string,
  pages: readonly unknown[],
): { readonly status: number | null; readonly output: string } {
  writeFileSync(file, JSON.stringify(pages))
  const { status, stdout, stderr } = spawnSync(process.execPath, [VERIFIER, file], { encoding: 'utf8' })
  return { status, output: (stdout + stderr).trim() }
}

const damages: Readonly<Record<string, (events: Event[]) => unknown[]>> = {
  altered: (events) => events.map((event, at) => (at === 1 ? { ...event, action: 'read' } : event)),
  removed: (events) => events.toSpliced(1, 1),
  reordered: ([first, second, ...others]) => [first, ...others.slice(0, 1), second, ...others.slice(1)],
  'cut off': (events) => events.slice(0, -1),
}

/**
 * Throws unless every acknowledged change has its event in an intact chain, the service itself has detected no
 * manipulation, and the verifier detects damage in an export.
 */
export async function verifyAudit(client: Client, known: Acknowledged, folder: string): Promise<string> {
  const file = join(folder, 'audit.json')
  const begun = Date.now()
  let pages = await exportLog(client)
  for (let absent = missing(pages, known); absent.length > 0; absent = missing(pages, known)) {
    if (Date.now() - begun > MOST_SEALING_MILLISECONDS) throw new Error(`without an event: ${absent.join(', ')}`)
    await sleep(1_000)
    pages = await exportLog(client)
  }
  const found = pages.flatMap(({ incidents, rows }) => [...incidents, ...rows])
  if (found.length > 0)
    throw new Error(`the service reports manipulations, but there were none: ${JSON.stringify(found)}`)
  const { status, output } = verifier(file, pages)
  if (status !== 0) throw new Error(`the audit log does not verify: ${output}`)
  const events = pages.flatMap((page) => page.events)
  for (const [what, damage] of Object.entries(damages)) {
    const damaged = verifier(file, [{ events: damage(events), head: pages.at(-1)?.head }])
    if (damaged.status !== 1) throw new Error(`an audit log with an event ${what} verifies: ${damaged.output}`)
  }
  return output
}
