/**
 * The benchmark: measures every operation of the service, the ceiling that the platform sets for it and, with `--peer`,
 * a real Barbican. They are measured in one run, in alternation, so that other load on the machine affects all of them
 * alike.
 *
 *     npm run bench -- [--peer] [--rounds N] [--seconds N] [--connections 1,8,32] [--write]
 *     npm run bench -- --only encryption --only 'token, warm'
 *     npm run bench -- --profile
 *
 * It prints the tables and writes them and the chart to `.wrangler/bench` or, with `--write`, to `test/bench` and the
 * page on speed. An unexpected response aborts the run.
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
import { startCeilings, startReference, startPortcullis } from './services.ts'

const OPTIONS = {
  peer: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  /** The duration of each measurement. */
  seconds: { type: 'string', default: '2' },
  connections: { type: 'string', default: '1,8,32' },
  /** The name of an operation; may be repeated. All, unless it is given. */
  only: { type: 'string', multiple: true, default: operations.map(({ name }) => name) },
} as const

/** The limits of the options. A run must end within an hour, because the tokens expire then. */
const MOST = { rounds: 20, seconds: 60, connections: 256 }
/** The number of distinct requests of an operation whose requests can be repeated. */
const REPEATED_REQUESTS = 1_000
const WARM_UP = { connections: 8, seconds: 1 }
/** Measurements per round with the number of connections that `src/docs/speed.md` shows: a single one varies by a tenth. */
const REPETITIONS = 3
/** The factor by which a measurement with too few responses is extended, and its maximum duration. */
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
  const names = values.only
  const unknown = names.find((name) => !operations.some((operation) => operation.name === name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such operation`)
  if (values.write && names.length < operations.length) throw new Error('--write needs all operations')
  return {
    ...values,
    chosen: operations.filter(({ name }) => names.includes(name)),
    rounds: readNumber('rounds', values.rounds),
    seconds: readNumber('seconds', values.seconds),
    connections: values.connections.split(',').map((text) => readNumber('connections', text)),
  }
}

/** An operation of one target, to be measured. */
interface Measurable {
  readonly target: string
  readonly operation: string
  /** For a ceiling: the operation that it bounds. */
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

/** The measurements in order: each operation of the service, then its ceiling, then the same operation of Barbican. */
function measurablesOf(
  chosen: readonly Operation[],
  own: Service,
  references: readonly Service[],
  bare: Ceilings,
): Measurable[] {
  const ceiling = ofCeilings(bare)
  const besideEachOther = (operation: Operation) => [
    ofService(own)(operation),
    ceiling(operation.ceiling, operation.name),
    ...(operation.beside === undefined ? references.map((reference) => ofService(reference)(operation)) : []),
  ]
  return [ceiling('bare'), ...chosen.flatMap(besideEachOther)]
}

/** Sends one request and checks the whole response; under load, only the class of the status is checked. */
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
    // Barbican may need longer for its first responses than a measurement takes.
    for (let longer = seconds; longer <= LONGEST_SECONDS; longer *= LONGER) {
      const load = { connections, seconds: longer, once, folder }
      const measured = await measure(url, await prepare(longer, connections), load)
      if (measured) return measured
    }
    throw new Error('no response')
  } catch (error) {
    throw new Error(`${target}: ${operation} over ${connections} connections: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/**
 * Returns a function that reports progress: in one updated line on a terminal, otherwise in a line every ten seconds.
 */
function progress(total: number) {
  const started = Date.now()
  let done = 0
  let lastPrinted = 0
  return (what: string): void => {
    const left = done === 0 ? '' : `, ${Math.ceil(((Date.now() - started) / done / 1000) * (total - done))} s left`
    done += 1
    const line = `${what}${left}`
    if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${done === total ? '' : line}`)
    else if (Date.now() - lastPrinted > PROGRESS_MILLISECONDS) {
      console.log(line)
      lastPrinted = Date.now()
    }
  }
}

interface Round {
  /** A new folder. */
  readonly folder: string
  readonly chosen: readonly Operation[]
  readonly references: readonly Service[]
  readonly seconds: number
  /** The number of connections of each pass over all measurements. */
  readonly passes: readonly number[]
  readonly report: (what: string) => void
}

/** Measures with Workers in new processes, because results vary by some percent between processes. */
async function measureRound(round: Round, results: Results): Promise<void> {
  const { folder, chosen, references, seconds, passes, report } = round
  report('building and filling the Workers')
  const state = join(folder, 'portcullis')
  await mkdir(state)
  const own = await startPortcullis(state, { minify: true })
  const bare = await startCeilings(join(folder, 'ceilings'))
  const all = measurablesOf(chosen, own, references, bare)
  for (const one of all) {
    report(`trying ${one.target}: ${one.operation}`)
    await verify(one)
    await measureOne(one, WARM_UP.connections, WARM_UP.seconds, folder)
  }
  for (const count of passes)
    for (const one of all) {
      report(`${one.target}: ${one.operation}, ${count} connections`)
      const measured = await measureOne(one, count, seconds, folder)
      results.add(one.target, one.operation, count, measured)
      if (one.above !== undefined) results.add(one.target, one.above, count, measured)
    }
  await bare.stop()
  await own.stop()
}

async function run(options: ReturnType<typeof readOptions>, state: string) {
  const { chosen, peer, rounds, seconds, connections } = options
  const references = peer ? [await startReference(join(state, 'peer'))] : []
  const results = new Results({ rounds, repetitions: REPETITIONS, seconds, connections, cores: availableParallelism() })
  const passes = connections.flatMap((count) => Array<number>(results.repetitionsOver(count)).fill(count))
  const measurables = 1 + chosen.length * (2 + references.length)
  const print = progress(rounds * (1 + (1 + passes.length) * measurables))
  for (let round = 1; round <= rounds; round += 1) {
    const report = (what: string) => print(`round ${round} of ${rounds}: ${what}`)
    const folder = await mkdtemp(join(state, 'round-'))
    await measureRound({ folder, chosen, references, seconds, passes, report }, results)
  }
  for (const service of references) await service.stop()
  return results
}

stopEverythingOnSignals()
let state: string | undefined
try {
  const options = readOptions()
  await needPackages(['wrk'])
  // A short path, because Linux limits the length of the paths of sockets in it.
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
// Exit explicitly: handles that a failed run left open would keep the process alive.
process.exit()
