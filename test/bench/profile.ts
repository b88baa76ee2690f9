/** Profiles the Worker's isolate with V8's sampling profiler, through Chrome's DevTools protocol. */
import { join } from 'node:path'
import { freePort } from '../peer/process.ts'
import { measure } from './load.ts'
import { operations } from './operations.ts'
import { startPortcullis } from './services.ts'

const PROFILED = new Set(['secret metadata', 'secret payload', 'new secret', 'key order'])
const CONNECTIONS = 8
const SECONDS = 5
const SAMPLE_MICROSECONDS = 200
const SHOWN = 40

interface Frame {
  readonly id: number
  readonly children?: readonly number[]
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

interface Profile {
  readonly nodes: readonly Frame[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Opens a debugging session with the Worker's isolate. */
async function openInspector(port: number, worker: string) {
  const response = await fetch(`http://127.0.0.1:${port}/json`)
  const sessions = (await response.json()) as { readonly id: string; readonly webSocketDebuggerUrl: string }[]
  const session = sessions.find(({ id }) => id.includes(worker)) ?? sessions[0]
  if (!session) throw new Error('nothing to profile')
  const socket = new WebSocket(session.webSocketDebuggerUrl)
  const waiting = new Map<number, (result: unknown) => void>()
  let sent = 0
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown }
    if (id !== undefined) waiting.get(id)?.(result)
  })
  await new Promise((open, failed) => {
    socket.addEventListener('open', open)
    socket.addEventListener('error', failed)
  })
  return {
    send: (method: string, params: object = {}): Promise<unknown> =>
      new Promise((done) => {
        sent += 1
        waiting.set(sent, done)
        socket.send(JSON.stringify({ id: sent, method, params }))
      }),
    close: () => socket.close(),
  }
}

/** Returns the most expensive functions, with their shares of the time without and with their callees. */
function topFunctions({ nodes, samples, timeDeltas }: Profile): string[] {
  const nameOf = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url ? `${url.slice(url.lastIndexOf('/') + 1)}:${lineNumber + 1}` : ''}`,
    ]),
  )
  const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const spent = new Map<string, { itself: number; all: number }>()
  const add = (id: number, itself: number, all: number): void => {
    const name = nameOf.get(id) ?? ''
    const before = spent.get(name) ?? { itself: 0, all: 0 }
    spent.set(name, { itself: before.itself + itself, all: before.all + all })
  }
  for (const [at, sample] of samples.entries()) {
    const time = timeDeltas[at] ?? 0
    add(sample, time, 0)
    const counted = new Set<string | undefined>()
    for (let id: number | undefined = sample; id !== undefined; id = parentOf.get(id)) {
      if (!counted.has(nameOf.get(id))) add(id, 0, time)
      counted.add(nameOf.get(id))
    }
  }
  const total = timeDeltas.reduce((sum, time) => sum + time, 0)
  const share = (time: number) => `${((100 * time) / total).toFixed(1).padStart(5)} %`
  return [...spent]
    .toSorted(([, a], [, b]) => b.itself - a.itself || b.all - a.all)
    .slice(0, SHOWN)
    .map(([name, { itself, all }]) => `${share(itself)} ${share(all)}  ${name}`)
}

/** Prints a profile of each of the most frequent operations. The bundle is not minified, to keep function names. */
export async function profile(state: string): Promise<void> {
  const inspectorPort = await freePort()
  const service = await startPortcullis(state, { minify: false, inspectorPort })
  const inspector = await openInspector(inspectorPort, 'portcullis')
  await inspector.send('Profiler.enable')
  await inspector.send('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS })
  for (const { name, prepare } of operations.filter(({ name }) => PROFILED.has(name))) {
    const requests = await prepare(service, 1_000, CONNECTIONS)
    const load = { connections: CONNECTIONS, once: false, folder: join(state, '..') }
    await measure(service.url, requests, { ...load, seconds: 2 })
    await inspector.send('Profiler.start')
    const measured = await measure(service.url, requests, { ...load, seconds: SECONDS })
    const { profile } = (await inspector.send('Profiler.stop')) as { readonly profile: Profile }
    console.log(
      `\n${name}: ${Math.round(measured?.rate ?? 0)} requests/s, profiled\n itself     all  function\n${topFunctions(profile).join('\n')}`,
    )
  }
  inspector.close()
  await service.stop()
}
