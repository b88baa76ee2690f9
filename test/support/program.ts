/** Runs the programs of the npm scripts as npm does, in Node and outside workerd. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

type Variables = Readonly<Record<string, string | undefined>>

/** Starts a program of `src/local` under the Node that the scripts choose. */
export function startProgram(name: string, args: readonly string[], variables: Variables = {}): ChildProcess {
  const program = join(ROOT, 'src/local', name)
  return spawn(process.execPath, [join(ROOT, 'src/local/node.mjs'), program, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Collects what a program prints. */
export function printedBy(child: ChildProcess) {
  const printed = { out: '', error: '' }
  child.stdout?.on('data', (part: Buffer) => (printed.out += part.toString()))
  child.stderr?.on('data', (part: Buffer) => (printed.error += part.toString()))
  return printed
}

/** Runs a program to its end. */
export const runProgram = (name: string, args: readonly string[], variables: Variables = {}) =>
  untilClosed(startProgram(name, args, variables))

/** Runs a script of package.json to its end. */
export const runScript = (name: string, variables: Variables = {}) =>
  untilClosed(
    spawn('npm', ['run', '--silent', name], {
      cwd: ROOT,
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

async function untilClosed(child: ChildProcess) {
  const printed = printedBy(child)
  const status = await new Promise<number | null>((done) => child.once('close', done))
  return { status, ...printed }
}
