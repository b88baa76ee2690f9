/**
 * Turns: what requests of one isolate ask while a call of the database runs is gathered for one turn of the event loop,
 * and goes as one batch. Who asks alone asks at once, and no call is waited for. Each is answered as it would be alone.
 */
import { waitUntil } from 'cloudflare:workers'
import { send, type Answer, type Asked, type Reach } from './calls.ts'
import { patiently } from './patience.ts'
import { isRefused } from './refusals.ts'

/** Statements that go together. The request that begins it sends them all, of D1's 50 for each on the free plan. */
const MOST_STATEMENTS = 40

/** What becomes of those whose batch another request sends. */
export interface Terms {
  /** How long it is waited for: it may have been cut off with that request. */
  readonly patienceMilliseconds: number
  /** Whether what was part of a batch that failed may be sent again, alone. */
  readonly mayRepeat: (error: unknown) => boolean
}

export const lookUps: Terms = { patienceMilliseconds: 2_000, mayRepeat: () => true }
/** D1 ends every call within 30 s. */
export const writes: Terms = { patienceMilliseconds: 30_000, mayRepeat: isRefused }

/** A batch before it is sent. */
interface Gathering {
  readonly asked: Asked[]
  readonly answer: Promise<Answer>
}

/** Calls that the same copies of a database may answer. */
class Line {
  readonly #binding: D1Database
  readonly #reach: Reach
  readonly #leave: () => void
  #running = 0
  #gathering: Gathering | null = null

  /** `leave` is called when nothing runs. */
  constructor(binding: D1Database, reach: Reach, leave: () => void) {
    this.#binding = binding
    this.#reach = reach
    this.#leave = leave
  }

  async ask(asked: readonly Asked[], terms: Terms): Promise<Answer> {
    if (this.#running === 0) return this.#kept(this.#send(asked))
    const open = this.#gathering
    const joins = open !== null && open.asked.length + asked.length <= MOST_STATEMENTS
    const gathering = joins ? open : this.#gather()
    const first = gathering.asked.push(...asked) - asked.length
    try {
      const { results, seen } = await (joins ? this.#others(gathering, terms) : gathering.answer)
      return { results: results.slice(first, first + asked.length), seen }
    } catch (error) {
      if (gathering.asked.length === asked.length || !terms.mayRepeat(error)) throw error
      return this.#send(asked)
    }
  }

  /** The answer of a batch that another request sends. */
  async #others(gathering: Gathering, { patienceMilliseconds }: Terms): Promise<Answer> {
    const answer = await patiently(gathering.answer, patienceMilliseconds)
    if (answer) return answer
    if (this.#gathering === gathering) this.#gathering = null
    throw new Error('the batch of another request did not come')
  }

  #send(asked: readonly Asked[]): Promise<Answer> {
    return send(this.#binding, this.#reach, asked)
  }

  /** Begins a batch, which is sent in the next turn. */
  #gather(): Gathering {
    const asked: Asked[] = []
    const sent = scheduler.wait(0).then(() => {
      if (this.#gathering === gathering) this.#gathering = null
      return this.#send(asked)
    })
    const gathering = { asked, answer: this.#kept(sent) }
    this.#gathering = gathering
    return gathering
  }

  /** Counts what runs until it ends, for which it goes on when the request that began it has ended. */
  #kept(answer: Promise<Answer>): Promise<Answer> {
    this.#running += 1
    const end = () => {
      this.#running -= 1
      if (this.#running === 0) this.#leave()
    }
    waitUntil(answer.then(end, end))
    return answer
  }
}

/** By database, then by who may answer and a name. */
const known = new WeakMap<D1Database, Map<string, Line>>()

/**
 * The answer of the statements, sent together with what others ask under this name of those who may answer this one.
 * Throws what the database refuses, and when others' batch, of which they are a part, is lost and may be stored.
 */
export function inTurn(
  binding: D1Database,
  reach: Reach,
  name: string,
  asked: readonly Asked[],
  terms: Terms,
): Promise<Answer> {
  const lines = known.get(binding) ?? new Map<string, Line>()
  known.set(binding, lines)
  const key = `${reach} ${name}`
  const line = lines.get(key) ?? new Line(binding, reach, () => void lines.delete(key))
  lines.set(key, line)
  return line.ask(asked, terms)
}
