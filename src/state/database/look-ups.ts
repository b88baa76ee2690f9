/**
 * Look-ups that requests of one isolate share. Who asks what nobody asks at that moment looks it up alone, for which
 * nothing has to be set up. Who asks the same meanwhile begins a line: its look-up is one that others may wait for. Of
 * those who come then, each waits for the next look-up, which begins when that one is over and answers all of them. So
 * nobody is given what was looked up before they asked, and however many ask, few look-ups run and one waits.
 */
import { waitUntil } from 'cloudflare:workers'
import { Fault } from '../../faults.ts'
import type { Seen } from './calls.ts'
import { patiently } from './patience.ts'
import type { Session } from './session.ts'

/**
 * How long somebody else's look-up is waited for before one's own: it may have been cut off with its request. Longer than
 * that waits for a batch.
 */
const PATIENCE_MILLISECONDS = 3_000

type Outcome = { readonly value: unknown } | { readonly fault: Fault }

interface Answer {
  readonly outcome: Outcome
  readonly seen: Seen
}

/** The look-ups of one question: that which runs (it never rejects), and that which waits for it. */
interface Line {
  readonly running: Promise<unknown>
  next: Promise<Answer> | null
}

/** Null: somebody looks it up alone, or did so and was cut off. */
type Questions = Map<string, Line | null>

/** Questions that are known at a time: what requests leave behind that are cut off is bounded. */
const MOST_QUESTIONS = 10_000

/** By database, then by question. */
const known = new WeakMap<D1Database, Questions>()

function questionsOf(binding: D1Database): Questions {
  const questions = known.get(binding) ?? new Map<string, Line | null>()
  known.set(binding, questions)
  return questions
}

async function alone<Value>(questions: Questions, question: string, lookUp: () => Promise<Value>): Promise<Value> {
  // Who waits in a line that is forgotten here is answered all the same.
  if (questions.size >= MOST_QUESTIONS) questions.clear()
  questions.set(question, null)
  try {
    return await lookUp()
  } finally {
    if (questions.get(question) === null) questions.delete(question)
  }
}

/** Begins a look-up that others may wait for. It goes on when the request that began it has ended. */
function begin(questions: Questions, question: string, ask: () => Promise<Answer>): Promise<Answer> {
  const answer = ask()
  const line: Line = { running: answer.catch(() => null), next: null }
  questions.set(question, line)
  waitUntil(line.running.then(() => void (line.next ?? leave(questions, question, line))))
  return answer
}

function leave(questions: Questions, question: string, line: Line): void {
  if (questions.get(question) === line) questions.delete(question)
}

async function outcomeOf(lookUp: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await lookUp() }
  } catch (error) {
    if (error instanceof Fault) return { fault: error }
    throw error
  }
}

function valueOf(outcome: Outcome): unknown {
  if ('fault' in outcome) throw outcome.fault
  return outcome.value
}

/**
 * What `lookUp` finds or the fault that it throws, shared with those who ask the same `question` of the same database
 * at the same time and may be answered by the same copies of it. It is nobody's own, so it must not be changed.
 */
export async function shared<Value>(session: Session, question: string, lookUp: () => Promise<Value>): Promise<Value> {
  const questions = questionsOf(session.binding)
  const asked = `${session.from} ${question}`
  const line = questions.get(asked)
  if (line === undefined) return alone(questions, asked, lookUp)
  const ask = async (): Promise<Answer> => ({ outcome: await outcomeOf(lookUp), seen: session.seen })
  if (line === null) return valueOf((await begin(questions, asked, ask)).outcome) as Value
  if (!line.next) {
    line.next = line.running.then(() => begin(questions, asked, ask))
    waitUntil(line.next.catch(() => null))
  }
  const answer = await patiently(
    line.next.catch(() => null),
    PATIENCE_MILLISECONDS,
  )
  if (!answer) {
    leave(questions, asked, line)
    return lookUp()
  }
  session.follow(answer.seen)
  return valueOf(answer.outcome) as Value
}
