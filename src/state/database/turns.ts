/**
 * Turns: what requests of one isolate ask while a call of the database runs is gathered for one turn of the event loop,
 * and goes as one batch. Who asks alone asks at once, and nobody waits for a call that runs already. What the database
 * refuses is asked again by each alone; what is lost on the way is lost for all of a batch, and look-ups are asked again.
 */
import { waitUntil } from 'cloudflare:workers'
import { send, type Answered, type Asked, type Reach } from './calls.ts'
import { patiently } from './patience.ts'
import { isRefused } from './refusals.ts'

/**
 * Statements of a batch of several requests. The one that sends it pays for all: of the 50 that D1's free plan allows
 * each, three look-ups, which is what a request may need, leave 14; and of the largest rows that can be configured, 12 stay
 * below the 50 MB of an answer.
 */
const MOST_STATEMENTS = 12

/** How long calls are counted. One that is cut off with its request never ends for those who count it. */
const COUNTED_MILLISECONDS = 60_000

/** Kinds of calls that are counted at a time, for each database: clients choose bookmarks. */
const MOST_KINDS = 10_000

/** What becomes of those whose batch another request sends. */
export interface Terms {
  /** How long it is waited for: it may have been cut off with that request. */
  readonly patienceMilliseconds: number
  /** Whether what was part of a batch that failed may be sent again, alone. */
  readonly mayRepeat: (error: unknown) => boolean
}

export const lookUps: Terms = { patienceMilliseconds: 2_000, mayRepeat: () => true }
/** D1 ends a batch after 30 s, which may have waited before. */
export const writes: Terms = { patienceMilliseconds: 60_000, mayRepeat: isRefused }

/** A batch before it is sent. */
interface Gathering {
  readonly asked: Asked[]
  readonly answer: Promise<Answered>
}

/** Calls of one kind: those that may go together. */
class Calls {
  readonly #binding: D1Database
  readonly #reach: Reach
  readonly #ended: (calls: Calls) => void
  readonly since = Date.now()
  #running = 0
  #gathering: Gathering | null = null

  /** `ended` is called when none runs. */
  constructor(binding: D1Database, reach: Reach, ended: (calls: Calls) => void) {
    this.#binding = binding
    this.#reach = reach
    this.#ended = ended
  }

  async ask(asked: readonly Asked[], terms: Terms): Promise<Answered> {
    if (this.#running === 0) return this.#counted(this.#send(asked))
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
  async #others(gathering: Gathering, { patienceMilliseconds }: Terms): Promise<Answered> {
    const answer = await patiently(gathering.answer, patienceMilliseconds)
    if (answer) return answer
    if (this.#gathering === gathering) this.#gathering = null
    throw new Error('the batch of another request did not come')
  }

  #send(asked: readonly Asked[]): Promise<Answered> {
    return send(this.#binding, this.#reach, asked)
  }

  /** Begins a batch, which is sent in the next turn. */
  #gather(): Gathering {
    const asked: Asked[] = []
    const sent = scheduler.wait(0).then(() => {
      if (this.#gathering === gathering) this.#gathering = null
      return this.#send(asked)
    })
    const gathering = { asked, answer: this.#counted(sent) }
    this.#gathering = gathering
    return gathering
  }

  /** Counts a call until it ends, for which it goes on when the request that began it has ended. */
  #counted(answer: Promise<Answered>): Promise<Answered> {
    this.#running += 1
    const end = () => {
      this.#running -= 1
      if (this.#running === 0) this.#ended(this)
    }
    waitUntil(answer.then(end, end))
    return answer
  }
}

type Kinds = Map<string, Calls>

/** By database, then by who may answer and a name. */
const known = new WeakMap<D1Database, Kinds>()

function callsOf(kinds: Kinds, kind: string, binding: D1Database, reach: Reach): Calls {
  const counted = kinds.get(kind)
  if (counted && Date.now() - counted.since < COUNTED_MILLISECONDS) return counted
  // Who has joined a batch that is forgotten here is answered all the same.
  if (kinds.size >= MOST_KINDS) kinds.clear()
  const calls = new Calls(binding, reach, (ended) => {
    if (kinds.get(kind) === ended) kinds.delete(kind)
  })
  kinds.set(kind, calls)
  return calls
}

/**
 * What the statements give, which may go together with those that others ask of the same copies under the same name.
 * Throws what the database refuses of them, and for writes also when the batch that they are a part of fails on the way:
 * it may be stored.
 */
export function askTogether(
  binding: D1Database,
  reach: Reach,
  name: string,
  asked: readonly Asked[],
  terms: Terms,
): Promise<Answered> {
  const kinds = known.get(binding) ?? new Map<string, Calls>()
  known.set(binding, kinds)
  return callsOf(kinds, `${reach} ${name}`, binding, reach).ask(asked, terms)
}
