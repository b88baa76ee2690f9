/**
 * Puts small faults into a copy of the source, one at a time, and runs the tests that should notice: `npm run mutants`.
 *
 *     npm run mutants -- --only TEXT     faults whose file, reason or text contains TEXT
 *     npm run mutants -- --every N       every N-th fault, as a sample
 *     npm run mutants -- --from N        faults from the N-th on, to go on where a run was stopped
 *     npm run mutants -- --jobs N        N copies at the same time; the default is 1
 *     npm run mutants -- --trusting      does not run the tests without a fault first
 *
 * A fault is noticed by the tests, or by the compiler if it does not compile. It exits with 1 if fewer than 95 % of the
 * faults are noticed, if the tests fail without a fault, or if the text of a fault does not stand exactly once in its
 * file. Faults that the table argues for are run as well and not counted.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startProcess, stopEverythingOnSignals } from '../peer/process.ts'
import type { SmallFault } from './fault.ts'
import { smallFaults } from './table.ts'

const root = new URL('../..', import.meta.url).pathname
const LEAST_PERCENT = 95
/** A run that takes longer hangs because of the fault. */
const RUN_MILLISECONDS = 300_000
/** A generated file that the compiler needs and that is not in the repository. */
const GENERATED = 'src/worker-configuration.d.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    every: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    trusting: { type: 'boolean', default: false },
  },
})

/** Copies the working tree, changes that are not committed included, and returns the folder. */
function copyOfTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-mutants-'))
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  const files = listed.split('\0').filter((file) => file !== '' && file !== 'node_modules')
  for (const file of [...files, GENERATED])
    if (existsSync(join(root, file))) cpSync(join(root, file), join(folder, file), { recursive: true })
  symlinkSync(realpathSync(join(root, 'node_modules')), join(folder, 'node_modules'))
  return folder
}

/**
 * Runs a program of `node_modules` in the folder and reports whether it succeeded. What it started ends with it: a fault can
 * make a workerd loop for ever.
 */
async function succeeds(folder: string, program: string, ...given: readonly string[]): Promise<boolean> {
  const started = startProcess(process.execPath, [join('node_modules', program), ...given], {
    folder,
    log: devNull,
  })
  const limit = setTimeout(() => void started.kill(), RUN_MILLISECONDS)
  const status = await started.ended
  clearTimeout(limit)
  await started.stop()
  return status === 0
}

/** One file after the other, and no further one after a failure: the table names the likeliest file first. */
const oneByOne = ['--bail', '1', '--no-file-parallelism']
const testsPass = (folder: string, tests: readonly string[]) =>
  succeeds(folder, 'vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...oneByOne, ...tests)
const compiles = (folder: string) => succeeds(folder, 'typescript/bin/tsc', '--noEmit')

type Outcome = 'noticed' | 'does not compile' | 'survived' | 'argued' | 'not in its file'

/** Puts the fault into the copy, runs its tests, and restores the file. */
async function outcomeOf(folder: string, { file, from, to, tests, survives }: SmallFault): Promise<Outcome> {
  const path = join(folder, file)
  const whole = readFileSync(path, 'utf8')
  const [before = '', after, ...more] = whole.split(from)
  if (after === undefined || more.length > 0) return 'not in its file'
  writeFileSync(path, before + to + after)
  try {
    if (!(await testsPass(folder, tests))) return 'noticed'
    if (!(await compiles(folder))) return 'does not compile'
    return survives === undefined ? 'survived' : 'argued'
  } finally {
    writeFileSync(path, whole)
  }
}

const chosen = smallFaults
  .filter(({ file, from, why }) => `${file} ${from} ${why}`.includes(options.only))
  .filter((_, at) => at % Math.max(1, Number(options.every)) === 0)
  .slice(Math.max(1, Number(options.from)) - 1)
const results: { fault: SmallFault; outcome: Outcome }[] = []

function report({ fault, outcome }: (typeof results)[number]): void {
  const { file, why, survives } = fault
  results.push({ fault, outcome })
  const reason = outcome === 'argued' ? ` (${survives})` : ''
  console.log(`${String(results.length).padStart(4)}/${chosen.length}  ${outcome.padEnd(16)}  ${file}: ${why}${reason}`)
}

/** Takes faults until none is left. Those of the same tests follow each other, so their modules stay in the cache. */
async function work(folder: string, waiting: SmallFault[]): Promise<void> {
  for (let fault = waiting.shift(); fault; fault = waiting.shift())
    report({ fault, outcome: await outcomeOf(folder, fault) })
}

async function run(): Promise<number> {
  const folders = Array.from({ length: Math.max(1, Number(options.jobs)) }, copyOfTree)
  try {
    const tests = [...new Set(chosen.flatMap((fault) => fault.tests))]
    console.log(`${chosen.length} faults, ${tests.length} test files`)
    const [first = ''] = folders
    if (chosen.length === 0 || !(options.trusting || (await testsPass(first, tests)))) {
      console.error('the tests fail without a fault, or no fault was chosen')
      return 1
    }
    const waiting = [...chosen]
    await Promise.all(folders.map((folder) => work(folder, waiting)))
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
  const counted = results.filter(({ outcome }) => outcome !== 'argued')
  const lost = counted.filter(({ outcome }) => outcome === 'survived' || outcome === 'not in its file')
  const percent = ((counted.length - lost.length) / Math.max(1, counted.length)) * 100
  for (const { fault, outcome } of lost) console.log(`\n${outcome}: ${fault.file}\n  - ${fault.from}\n  + ${fault.to}`)
  console.log(`\n${counted.length - lost.length} of ${counted.length} noticed: ${percent.toFixed(1)} %`)
  return percent < LEAST_PERCENT || lost.some(({ outcome }) => outcome === 'not in its file') ? 1 : 0
}

stopEverythingOnSignals()
process.exitCode = await run()
