/** Runs steps against a server, records their outcomes and prints one line for each. */

export interface Outcome {
  /** Unique within a run; begins with the name of the suite, as in `clients: secret list`. */
  readonly name: string
  /** Why it failed; null if it passed. */
  readonly failure: string | null
}

/** Aborts a scenario after a failed step, which has been reported. */
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

  /** Runs a step and records its outcome. If it throws, the rest of the scenario is skipped. */
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

  /** Runs steps that depend on each other. Does not throw, so that the next scenario still runs. */
  async scenario(name: string, steps: () => Promise<void>): Promise<void> {
    try {
      await steps()
    } catch (error) {
      if (error instanceof StepFailed) console.log(`      the rest of "${name}" is skipped`)
      else this.#add(`${name} (outside of its steps)`, reasonOf(error))
    }
  }
}
