/** What the programs of the npm scripts have in common: `--help`, and how they fail. */
import { StartError } from './options.ts'

/**
 * Runs a program. With `--help` among the arguments it prints `usage` instead. A {@link StartError} is printed as one
 * line, anything else with its stack, and the process then ends with status 1.
 */
export async function runCommand(usage: string, run: (args: readonly string[]) => Promise<void>): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage.trim())
    return
  }
  try {
    await run(args)
  } catch (error) {
    console.error(error instanceof StartError ? `portcullis: ${error.message}` : error)
    process.exit(1)
  }
}
