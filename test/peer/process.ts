/** Starts child processes, each in its own process group, and stops them at the latest when this process exits. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants, homedir } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export type Environment = Readonly<Record<string, string>>

/**
 * The environment of every child process. `PATH` only has the system's folders, so that Debian's Python is used. The
 * caller's environment is not inherited, so that proxies and OS_* variables of another cloud have no effect.
 */
export const systemEnvironment: Environment = {
  PATH: '/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: homedir(),
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONWARNINGS: 'ignore',
}

export interface StartOptions {
  readonly environment?: Environment
  readonly folder?: string
  /** A file for standard output and error; without it, the last lines are kept in memory and `onLine` is called. */
  readonly log?: string
  /** Called with every line of standard output. */
  readonly onLine?: (line: string) => void
}

export interface RunningProcess {
  readonly name: string
  readonly pid: number
  /**
   * Resolves to the exit status when the process has ended: 128 + the signal's number after a signal, as in a shell.
   */
  readonly ended: Promise<number>
  /** Returns the last lines of output, for error messages. */
  lastLines(): string
  /** Sends SIGTERM to the process group, and SIGKILL after ten seconds; returns when the process has ended. */
  stop(): Promise<void>
  /** Sends SIGKILL to the process group; returns when the process has ended. */
  kill(): Promise<void>
}

export interface Finished {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Splits a command line at white space in the literal text; each interpolated value remains part of one word. */
export function words(literals: TemplateStringsArray, ...values: readonly string[]): readonly string[] {
  const split: string[] = []
  let word: string | undefined
  for (const [index, literal] of literals.entries()) {
    const [first = '', ...rest] = literal.split(/\s+/)
    if (first) word = (word ?? '') + first
    for (const next of rest) {
      if (word !== undefined) split.push(word)
      word = next || undefined
    }
    const value = values[index]
    if (value !== undefined) word = (word ?? '') + value
  }
  return word === undefined ? split : [...split, word]
}

const GRACE_MILLISECONDS = 10_000
const LAST_LINES = 15
const running = new Set<RunningProcess>()
/** Whether a signal was received; no process is started after that. */
let isStopping = false

const tail = (text: string): string => text.trimEnd().split('\n').slice(-LAST_LINES).join('\n')

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The process group does not exist any more.
  }
}

/** Resolves to the exit status, which is 127, as in a shell, if the program could not be started. */
function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127))
    child.once('close', (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

async function killGroup(pid: number, ended: Promise<number>): Promise<void> {
  signalGroup(pid, 'SIGKILL')
  await ended
}

async function stopGroup(pid: number, ended: Promise<number>): Promise<void> {
  signalGroup(pid, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MILLISECONDS)
  await ended
  clearTimeout(timer)
  // Child processes that ignored SIGTERM must not survive their parent.
  signalGroup(pid, 'SIGKILL')
}

function readLines(child: ChildProcess, onLine?: (line: string) => void): () => string {
  let kept: string[] = []
  const keep = (line: string): void => {
    kept = [...kept.slice(1 - LAST_LINES), line]
  }
  if (child.stderr) createInterface({ input: child.stderr }).on('line', keep)
  if (child.stdout)
    createInterface({ input: child.stdout }).on('line', (line) => {
      keep(line)
      onLine?.(line)
    })
  return () => kept.join('\n')
}

/** Starts a program in its own process group and registers it for {@link stopEverything}. */
function spawnGroup(
  command: string,
  args: readonly string[],
  { environment, folder }: StartOptions,
  output: number | 'pipe',
  lastLines: () => string,
): { readonly child: ChildProcess; readonly started: RunningProcess } {
  if (isStopping) throw new Error(`${command} is not started after a signal`)
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...systemEnvironment, ...environment },
    detached: true,
    stdio: ['ignore', output, output],
  })
  const ended = endOf(child)
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} cannot be started`)
  const name = command.split('/').at(-1) ?? command
  const started = { name, pid, ended, lastLines, stop: () => stopGroup(pid, ended), kill: () => killGroup(pid, ended) }
  running.add(started)
  void ended.then(() => running.delete(started))
  return { child, started }
}

/** Starts a program that keeps running. Throws if it cannot be started. */
export function startProcess(command: string, args: readonly string[], options: StartOptions = {}): RunningProcess {
  const { log, onLine } = options
  if (log === undefined) {
    let lines = (): string => ''
    const { child, started } = spawnGroup(command, args, options, 'pipe', () => lines())
    lines = readLines(child, onLine)
    return started
  }
  const file = openSync(log, 'a')
  try {
    return spawnGroup(command, args, options, file, () => tail(readFileSync(log, 'utf8'))).started
  } finally {
    closeSync(file)
  }
}

/** Runs a program and returns its output, whatever its exit status. Throws if it cannot be started. */
export async function run(
  command: string,
  args: readonly string[],
  options: Omit<StartOptions, 'log' | 'onLine'> = {},
): Promise<Finished> {
  const output = { stdout: '', stderr: '' }
  const { child, started } = spawnGroup(command, args, options, 'pipe', () => tail(output.stderr))
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const status = await started.ended
  // After a signal, do not report a program that was stopped as one that failed.
  if (isStopping) await new Promise(() => {})
  return { status, ...output }
}

/** Runs a program that must succeed and returns its standard output. Throws an error with its last output otherwise. */
export async function runToSuccess(
  command: string,
  args: readonly string[],
  options: Omit<StartOptions, 'log' | 'onLine'> = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, options)
  if (status === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')} ended with status ${status}:\n${tail(`${stdout}\n${stderr}`)}`)
}

/**
 * Waits until `isReady` returns true; an exception counts as false.
 * Throws if the process ends before that, and after `seconds`.
 */
export async function waitUntil(
  process: RunningProcess,
  isReady: () => boolean | Promise<boolean>,
  seconds: number,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  let status: number | undefined
  void process.ended.then((value) => (status = value))
  while (Date.now() < deadline) {
    if (status !== undefined) throw new Error(`${process.name} ended with status ${status}:\n${process.lastLines()}`)
    const ready = await Promise.resolve()
      .then(isReady)
      .catch(() => false)
    if (ready) return
    await sleep(200)
  }
  throw new Error(`${process.name} was not ready after ${seconds} s:\n${process.lastLines()}`)
}

/** Stops all running processes, in reverse order of their start. */
export async function stopEverything(): Promise<void> {
  for (const process of [...running].toReversed()) await process.stop()
}

/** Installs handlers for SIGINT and SIGTERM that stop all processes and exit with the usual status (128 + signal). */
export function stopEverythingOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (isStopping) return
      isStopping = true
      console.log(`stopping after ${signal}`)
      void stopEverything().then(() => process.exit(128 + constants.signals[signal]))
    })
}

// Also stop the processes if this process exits because of an unexpected error.
process.once('exit', () => {
  for (const { pid } of running) signalGroup(pid, 'SIGTERM')
})

/**
 * Linux gives ports from 32768 on to connections. One below it stays free while the program that listens on it is stopped
 * and started again.
 */
const LOWEST_PORT = 10_000
const HIGHEST_PORT = 32_767

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** Returns a loopback port that is currently free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT + 1))
    if (await canListen(port)) return port
  }
}
