/** Runs the stock `openstack` command line client: Debian's python3-openstackclient and python3-barbicanclient. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { needPackages } from './packages.ts'
import { run, type Environment, type Finished } from './process.ts'
import type { Report } from './report.ts'

export interface Credentials {
  /** The base URL of the identity API, ending with `/v3`. */
  readonly authUrl: string
  readonly username: string
  readonly password: string
  readonly project: string
  readonly userDomain?: string
  readonly projectDomain?: string
  readonly region?: string
}

/** A log-in of the client, with the folder for its files and the report for its steps. */
export interface Session {
  readonly environment: Environment
  readonly folder: string
  readonly report: Report
}

/** An object in the client's JSON output, keyed by column titles. */
export type Row = Readonly<Record<string, unknown>>

/** The OS_* variables of a log-in with a password. */
export const passwordEnvironment = (credentials: Credentials): Environment => ({
  OS_AUTH_URL: credentials.authUrl,
  OS_USERNAME: credentials.username,
  OS_PASSWORD: credentials.password,
  OS_PROJECT_NAME: credentials.project,
  OS_USER_DOMAIN_NAME: credentials.userDomain ?? 'Default',
  OS_PROJECT_DOMAIN_NAME: credentials.projectDomain ?? 'Default',
  OS_REGION_NAME: credentials.region ?? 'RegionOne',
  OS_IDENTITY_API_VERSION: '3',
})

/** Creates `folder` and installs the client if necessary. Does not log in yet. */
export async function openSession(credentials: Credentials, folder: string, report: Report): Promise<Session> {
  await needPackages(['python3-openstackclient', 'python3-barbicanclient'])
  await mkdir(folder, { recursive: true })
  return { environment: passwordEnvironment(credentials), folder, report }
}

/** Returns a session with other OS_* variables and the same folder and report. */
export const withPassword = (session: Session, changed: Environment): Session => ({
  ...session,
  environment: { ...session.environment, ...changed },
})

/** A name that no other run on the same server uses. */
export const uniqueName = (kind: string): string => `${kind}-${randomBytes(4).toString('hex')}`

/** The path of a file in the session's folder that does not exist yet. */
export const newFile = (session: Session): string => join(session.folder, uniqueName('file'))

/** Runs a command and returns its result, whatever its exit status. */
export const openstack = (session: Session, ...args: readonly string[]): Promise<Finished> =>
  run('openstack', args, { environment: session.environment, folder: session.folder })

/** Runs a command that must succeed and returns its output. Throws an error with the client's message otherwise. */
export async function succeed(session: Session, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await openstack(session, ...args)
  if (status !== 0) throw new Error(`openstack ${args.join(' ')}: status ${status}: ${stderr.trim() || stdout.trim()}`)
  return stdout
}

/** Runs a command that must fail, with a message that matches and without a crash of the client. */
export async function refuse(session: Session, message: RegExp, ...args: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await openstack(session, ...args)
  assert.notEqual(status, 0, `openstack ${args.join(' ')} succeeded: ${stdout}`)
  assert.match(stderr, message, `the message is ${stderr}`)
  assert.doesNotMatch(stderr, /Traceback|KeyError|5xx Server error/, `the client crashed: ${stderr}`)
}

/** Runs a command that prints one resource and returns it. */
export async function show(session: Session, ...args: readonly string[]): Promise<Row> {
  const shown: unknown = JSON.parse(await succeed(session, ...args, '--format', 'json'))
  assert.ok(typeof shown === 'object' && shown !== null && !Array.isArray(shown), 'not an object')
  return shown as Row
}

/** Runs a command that prints a list and returns its rows. */
export async function list(session: Session, ...args: readonly string[]): Promise<readonly Row[]> {
  const listed: unknown = JSON.parse((await succeed(session, ...args, '--format', 'json')) || '[]')
  assert.ok(Array.isArray(listed), 'not a list')
  return listed as readonly Row[]
}

/** Returns the value of a column, which must be a non-empty string. */
export function text(row: Row, column: string): string {
  const value = row[column]
  assert.ok(typeof value === 'string' && value !== '', `${column} is ${JSON.stringify(value)}`)
  return value
}

/** Compares the given columns only; throws one error with all differences. */
export function expectColumns(row: Row, expected: Row): void {
  const differences = Object.entries(expected)
    .filter(([column, value]) => JSON.stringify(row[column]) !== JSON.stringify(value))
    .map(([column, value]) => `${column} is ${JSON.stringify(row[column])} instead of ${JSON.stringify(value)}`)
  if (differences.length > 0) throw new Error(differences.join('; '))
}

/** Compares one column of all rows, in any order. */
export function expectColumn(rows: readonly Row[], column: string, expected: readonly unknown[]): void {
  const found = rows.map((row) => String(row[column])).toSorted()
  const wanted = expected.map(String).toSorted()
  assert.deepEqual(found, wanted, `${column} is [${found.join(', ')}] instead of [${wanted.join(', ')}]`)
}
