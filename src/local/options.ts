/** The options of `npm start` and `npm run dev`. */
import { parseArgs } from 'node:util'
import { ConfigError, readVariables, variableNames, type VariableName } from '../config.ts'

/** The port of OpenStack's Key Manager. */
const DEFAULT_PORT = 9311
const DEFAULT_STATE = '.wrangler/state'

export interface Options {
  readonly port: number
  /** The folder for databases, Durable Objects and the keys that the first start generates. */
  readonly state: string
  readonly variables: Readonly<Partial<Record<VariableName, string>>>
}

/** The command cannot run. The message is printed without a stack trace. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

function parseVariable(text: string): [VariableName, string] {
  const [, name = '', value = ''] = /^([A-Z_]+):(.*)$/s.exec(text) ?? []
  const known = variableNames.find((one) => one === name)
  if (!known) throw new StartError(`--var ${text.split(':')[0]}: not a variable; there are ${variableNames.join(', ')}`)
  return [known, value]
}

/** Parses the command line; throws {@link StartError} for invalid options. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const port = Number(values.port ?? DEFAULT_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new StartError(`--port ${values.port}: not a port`)
  const variables = Object.fromEntries((values.var ?? []).map(parseVariable))
  try {
    readVariables(variables)
  } catch (error) {
    throw error instanceof ConfigError ? new StartError(error.message) : error
  }
  return { port, state: values['persist-to'] ?? DEFAULT_STATE, variables }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { port: { type: 'string' }, 'persist-to': { type: 'string' }, var: { type: 'string', multiple: true } },
    })
  } catch (error) {
    throw new StartError(`${(error as Error).message} (options: --port N, --persist-to DIR, --var NAME:VALUE)`)
  }
}
