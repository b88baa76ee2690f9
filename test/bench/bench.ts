/**
 * The benchmark: every operation of the service, the least that the platform can do for it, and with `--peer` a real
 * Barbican, measured in the same run, right after one another and round by round in turns, so that what disturbs the
 * machine disturbs all of them.
 *
 *     npm run bench -- [--peer] [--rounds N] [--seconds N] [--connections 1,8,32] [--write]
 *     npm run bench -- --profile
 *
 * It prints the table and leaves it and the chart in `.wrangler/bench`; with `--write` they go into `test/bench` and
 * into the README. An answer that is not what it should be ends the run.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { needPackages } from '../peer/packages.ts'
import { stopEverything, stopEverythingOnSignals } from '../peer/process.ts'
import { headersOf, measure, type Measured, type Request } from './load.ts'
import { ceilings, operations, type Ceiling, type Operation, type Service } from './operations.ts'
import { profile } from './profile.ts'
import { CEILINGS, Results } from './results.ts'
import { writeResults } from './write.ts'
import { startCeilings, startPeer, startPortcullis } from './services.ts'

const OPTIONS = {
  peer: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  /** Of each measurement. */
  seconds: { type: 'string', default: '2' },
  connections: { type: 'string', default: '1,8,32' },
} as const

/** Bounds of what can be asked for: a run is to end within an hour, when the tokens do. */
const MOST = { rounds: 20, seconds: 60, connections: 256 }
/** Different requests of an operation whose requests can be repeated. */
const REPEATED_REQUESTS = 1_000
const WARM_UP = { connections: 8, seconds: 1 }
/** Measurements in a round over the number of connections that the README shows: one alone differs by a tenth. */
const TURNS = 3
/** How much longer a measurement is when too little was answered, and how long at most. */
const LONGER = 3
const LONGEST_SECONDS = 60
const PROGRESS_MILLISECONDS = 10_000

function readNumber(name: keyof typeof MOST, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > MOST[name])
    throw new Error(`--${name} ${text}: not a number from 1 to ${MOST[name]}`)
  return number
}

function readOptions() {
  const { values } = parseArgs({ options: OPTIONS })
  return {
    ...values,
    rounds: readNumber('rounds', values.rounds),
    seconds: readNumber('seconds', values.seconds),
    connections: values.connections.split(',').map((text) => readNumber('connections', text)),
  }
}

/** One thing to measure. */
interface Measurable {
  readonly target: string
  readonly operation: string
  /** Of a ceiling: the operation that it stands above. */
  readonly above?: string
  readonly url: string
  readonly status: number
  readonly holds: (body: string) => boolean
  readonly once: boolean
  readonly prepare: (seconds: number, connections: number) => Promise<Request[]>
}

const ofService = (service: Service) =>
  function measurableOf({ name, status, holds, once = false, prepare }: Operation): Measurable {
    return {
      target: service.name,
      operation: name,
      url: service.url,
      status,
      holds,
      once,
      prepare: async (seconds, connections) =>
        prepare(service, once ? seconds * service.mostPerSecond : REPEATED_REQUESTS, connections),
    }
  }

interface Ceilings {
  readonly url: string
  readonly ids: readonly string[]
}

const ofCeilings = ({ url, ids }: Ceilings) =>
  function measurableOf(ceiling: Ceiling, above?: string): Measurable {
    const { name, status, requestFor } = ceilings[ceiling]
    return {
      target: CEILINGS,
      operation: name,
      ...(above !== undefined && { above }),
      url,
      status,
      holds: (body) => body.length > 0,
      once: false,
      prepare: async () => ids.slice(0, REPEATED_REQUESTS).map(requestFor),
    }
  }

/** In the order in which it is measured: each operation of the service, its ceiling, and the same of the peers. */
function measurablesOf(own: Service, peers: readonly Service[], bare: Ceilings): Measurable[] {
  const ceiling = ofCeilings(bare)
  const besideEachOther = (operation: Operation) => [
    ofService(own)(operation),
    ceiling(operation.ceiling, operation.name),
    ...peers.map((peer) => ofService(peer)(operation)),
  ]
  return [ceiling('bare'), ...operations.flatMap(besideEachOther)]
}

/** Sends one request and looks at the whole answer; under load only the class of the status is looked at. */
async function verify({ target, operation, url, status, holds, prepare }: Measurable): Promise<void> {
  const [request] = await prepare(1, 1)
  if (!request) throw new Error(`${target}: ${operation}: no request`)
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) }
  const response = await fetch(url + request.path, { method: request.method, headers: headersOf(request), ...body })
  const text = await response.text()
  if (response.status !== status || !holds(text))
    throw new Error(`${target}: ${operation}: ${response.status} ${text.slice(0, 500)}`)
}

async function measureOne(one: Measurable, connections: number, seconds: number, folder: string): Promise<Measured> {
  const { target, operation, url, once, prepare } = one
  try {
    // A slow peer may need longer for its first answers than a measurement takes.
    for (let longer = seconds; longer <= LONGEST_SECONDS; longer *= LONGER) {
      const load = { connections, seconds: longer, once, folder }
      const measured = await measure(url, await prepare(longer, connections), load)
      if (measured) return measured
    }
    throw new Error('no answer')
  } catch (error) {
    throw new Error(`${target}: ${operation} over ${connections} connections: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Says where the run is: on a terminal in one line that changes, elsewhere in a line from time to time. */
function progress(total: number) {
  const begun = Date.now()
  let done = 0
  let said = 0
  return (what: string): void => {
    const left = done === 0 ? '' : `, ${Math.ceil(((Date.now() - begun) / done / 1000) * (total - done))} s left`
    done += 1
    const line = `${what}${left}`
    if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${done === total ? '' : line}`)
    else if (Date.now() - said > PROGRESS_MILLISECONDS) {
      console.log(line)
      said = Date.now()
    }
  }
}

interface Round {
  /** A folder of its own. */
  readonly folder: string
  readonly peers: readonly Service[]
  readonly seconds: number
  /** A number of connections for each time that everything is measured. */
  readonly turns: readonly number[]
  readonly say: (what: string) => void
}

/** Measures with Workers in new processes, because the same code differs by some percent between two processes. */
async function measureRound({ folder, peers, seconds, turns, say }: Round, results: Results): Promise<void> {
  say('building and filling the Workers')
  const state = join(folder, 'portcullis')
  await mkdir(state)
  const own = await startPortcullis(state, { minify: true })
  const bare = await startCeilings(join(folder, 'ceilings'))
  const all = measurablesOf(own, peers, bare)
  for (const one of all) {
    say(`trying ${one.target}: ${one.operation}`)
    await verify(one)
    await measureOne(one, WARM_UP.connections, WARM_UP.seconds, folder)
  }
  for (const count of turns)
    for (const one of all) {
      say(`${one.target}: ${one.operation}, ${count} connections`)
      const measured = await measureOne(one, count, seconds, folder)
      results.add(one.target, one.operation, count, measured)
      if (one.above !== undefined) results.add(one.target, one.above, count, measured)
    }
  await bare.stop()
  await own.stop()
}

async function run({ peer, rounds, seconds, connections }: ReturnType<typeof readOptions>, state: string) {
  const peers = peer ? [await startPeer(join(state, 'peer'))] : []
  const results = new Results({ rounds, turns: TURNS, seconds, connections, cores: availableParallelism() })
  const turns = connections.flatMap((count) => Array<number>(results.turnsOver(count)).fill(count))
  const measurables = 1 + operations.length * (2 + peers.length)
  const tell = progress(rounds * (1 + (1 + turns.length) * measurables))
  for (let round = 1; round <= rounds; round += 1) {
    const say = (what: string) => tell(`round ${round} of ${rounds}: ${what}`)
    const folder = await mkdtemp(join(state, 'round-'))
    await measureRound({ folder, peers, seconds, turns, say }, results)
  }
  for (const service of peers) await service.stop()
  return results
}

stopEverythingOnSignals()
let state: string | undefined
try {
  const options = readOptions()
  await needPackages(['wrk'])
  // Short, since a socket lies below it.
  state = await mkdtemp(join(tmpdir(), 'bench-'))
  if (options.profile) await profile(state)
  else await writeResults(await run(options, state), options.write)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await stopEverything()
}
if (state !== undefined && !process.exitCode) await rm(state, { recursive: true, force: true })
else if (state !== undefined) console.log(`logs are kept in ${state}`)
// What a failed run left open must not keep it from ending.
process.exit()
