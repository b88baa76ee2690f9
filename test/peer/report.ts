/** What was tried against a server and how it ended: one printed line for every step. */

export interface Outcome {
  /** Begins with the name of what was run, such as `clients: secret list`, and is unique within one run. */
  readonly name: string
  /** Why it failed; null when it passed. */
  readonly failure: string | null
}

/** Ends a scenario after a step that failed and has been reported. */
class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

const LONGEST_REASON = 700
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim().slice(0, LONGEST_REASON)

export class Report {
  readonly outcomes: Outcome[] = []
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  #add(name: string, failure: string | null): void {
    this.outcomes.push({ name: `${this.#prefix}: ${name}`, failure })
    console.log(failure === null ? `ok    ${name}` : `FAIL  ${name}: ${failure}`)
  }

  /** Runs one step and records how it ended. When it throws, the rest of the scenario is left out. */
  readonly step = async <Value>(name: string, action: () => Promise<Value>): Promise<Value> => {
    try {
      const value = await action()
      this.#add(name, null)
      return value
    } catch (error) {
      this.#add(name, reasonOf(error))
      throw new StepFailed(name)
    }
  }

  /** Runs steps that build on each other. Never throws, so that the next scenario still runs. */
  async scenario(name: string, steps: () => Promise<void>): Promise<void> {
    try {
      await steps()
    } catch (error) {
      if (error instanceof StepFailed) console.log(`      the rest of "${name}" is left out`)
      else this.#add(`${name} (outside of its steps)`, reasonOf(error))
    }
  }
}
