/**
 * What a session must know before it hands out results: whether the database is that of this Worker, how old the state of
 * a replica is, and whether the caller may ask at all. The statements of a question travel with the first read, in one
 * round trip; its answer is decided before the results of the read are used.
 */
import type { Statement } from './prepared.ts'

/** Where the answers to a {@link Question} come from. */
export interface Answered {
  /** Whether the session is bound to the primary, so that what the database lacks may be made. */
  readonly mayChange: boolean
  /** Whether any replica might have answered: the session was bound to no state. */
  readonly unconstrained: boolean
  /** Whether a replica answered, which lags behind the primary. */
  readonly byReplica: boolean
  /** The answers contain every change that was acknowledged before this time; undefined: it is not known. */
  readonly asOf: string | undefined
}

export interface Question {
  /** `open`: no result is handed out before the answer. `due`: it is asked along with the next read. */
  readonly state: 'open' | 'due' | 'answered'
  readonly statements: readonly Statement<unknown>[]
  /**
   * Takes the answers, or throws why no result may be handed out. What it returns is the time as of which all results of
   * the round trip are.
   */
  readonly decide: (answers: readonly D1Result[], from: Answered) => Promise<string | void> | string | void
  /** Whether the answer is remembered or a replica's, so that the primary may know better. */
  readonly isRemembered?: boolean
  /** Opens the question again if its answer is remembered. */
  readonly reopen?: () => void
  /** The time as of which the answer is, as in {@link Answered}. */
  readonly asOf?: string | undefined
}

/** Asks whether this isolate may use the database. Once admitted, nothing is asked again. */
export interface Admission extends Question {
  /** Ends the admission, because the database has another schema; returns what to throw instead of the error. */
  readonly revoke: (error: unknown, mayChange: boolean) => Error
}

/** Finds out as of when the results of a session's first read are. */
export interface Freshness {
  readonly ofPrimary: Question
  /** Throws if the state of the replica that answered is, or may be, older than the request accepts. */
  readonly ofReplica: Question
}

/** What the sessions of one request share. */
export interface Terms {
  readonly admission: Admission
  /** Null: any age will do. */
  readonly freshness: Freshness | null
  /** Further questions, in the order in which they are decided. */
  readonly questions: Question[]
}
