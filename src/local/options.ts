/** Options of the npm scripts: how they are parsed, and those of `npm start` and `npm run dev`. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { ConfigError, readVariables, variableNames, type VariableName } from '../config.ts'

/** The port of OpenStack's Key Manager. */
const DEFAULT_PORT = 9311
const DEFAULT_STATE = '.wrangler/state'

export interface Options {
  readonly port: number
  /** The folder for databases, Durable Objects and the keys that the first start generates. */
  readonly state: string
  readonly variables: Readonly<Partial<Record<VariableName, string>>>
  /** A file with secrets as `NAME=value`; null if there is none. */
  readonly secretsFile: string | null
  /** The wrangler configuration of an application to serve beside the service; null if there is none. */
  readonly app: string | null
}

/** The text of `--help`. `what` says what the command does. */
export const usageOf = (command: string, what: string): string => `
${command} [-- options]: ${what}

  --port N              the port on 127.0.0.1 (default: ${DEFAULT_PORT})
  --persist-to DIR      where databases and keys are kept (default: ${DEFAULT_STATE})
  --var NAME:VALUE      a variable of the service, as often as needed; src/docs/configuration.md has them
  --secrets-file FILE   lines NAME=VALUE with MASTER_KEYS or ADMIN_PASSWORD
  --app FILE            npm start only: the wrangler configuration of an application, served on the next port with its
                        service binding to KeyManager
  --help                this text

MASTER_KEYS and ADMIN_PASSWORD may also be in the environment, which precedes the file. What is given nowhere is made at
the first start and kept in DIR/portcullis.env.
`

/** The command cannot run. The message is printed without a stack trace. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Parses arguments without positional ones. Throws {@link StartError} that names the options that there are. */
export function parseCommandLine<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`)
    // The first sentence says what is wrong; the others are about positional arguments, which no program here takes.
    const [reason] = (error as Error).message.split('. ')
    throw new StartError(`${reason} (options: ${[...known, '--help'].join(', ')})`)
  }
}

function parseVariable(text: string): [VariableName, string] {
  const [, name = '', value = ''] = /^([A-Z_]+):(.*)$/s.exec(text) ?? []
  const known = variableNames.find((one) => one === name)
  if (!known) throw new StartError(`--var ${text.split(':')[0]}: not a variable; there are ${variableNames.join(', ')}`)
  return [known, value]
}

/** Throws {@link StartError} for an invalid variable. */
export function requireValid(variables: Options['variables']): void {
  try {
    readVariables(variables)
  } catch (error) {
    throw error instanceof ConfigError ? new StartError(error.message) : error
  }
}

/** Parses the command line; throws {@link StartError} for invalid options. */
export function parseOptions(args: readonly string[]): Options {
  const values = parseCommandLine(args, {
    port: { type: 'string' },
    'persist-to': { type: 'string' },
    var: { type: 'string', multiple: true },
    'secrets-file': { type: 'string' },
    app: { type: 'string' },
  })
  const port = Number(values.port ?? DEFAULT_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new StartError(`--port ${values.port}: not a port`)
  const variables = Object.fromEntries((values.var ?? []).map(parseVariable))
  requireValid(variables)
  return {
    port,
    state: values['persist-to'] ?? DEFAULT_STATE,
    variables,
    secretsFile: values['secrets-file'] ?? null,
    app: values.app ?? null,
  }
}
