/**
 * What operations reply. The table of an operation says which shape a reply has for each status, and what the table does
 * not say does not compile. Shapes are imported as types alone: the Worker does not carry them.
 */
import type { Context } from 'hono'
import type { Shapes } from '../../shapes/index.ts'
import type { Service } from './context.ts'
import { json } from './answers.ts'
import { respond } from './response.ts'

export type ShapeName = keyof Shapes

/** Content of one of these media types, or JSON of a shape if there is one, as `Accept` asks for it. */
interface Content {
  readonly types: readonly string[]
  readonly json?: ShapeName
}

/** What an answer has: JSON of a shape, no body, or content of other media types. */
export type Answer = ShapeName | null | Content

type Status = 200 | 201 | 202 | 204

/** The answers of an operation by status. */
export type Answers = { readonly [Code in Status]?: Answer }

interface JsonReply<Code, Value> {
  readonly status: Code
  readonly json: Value
}

interface ContentReply<Code> {
  readonly status: Code
  readonly content: Uint8Array<ArrayBuffer> | string
  readonly type: string
}

interface EmptyReply<Code> {
  readonly status: Code
}

type ReplyTo<Code, Said> = Said extends ShapeName
  ? JsonReply<Code, Shapes[Said]>
  : Said extends null
    ? EmptyReply<Code>
    : Said extends { readonly json: infer Name extends ShapeName }
      ? ContentReply<Code> | JsonReply<Code, Shapes[Name]>
      : ContentReply<Code>

/** What an operation with these answers may reply. */
export type ReplyOf<Said extends Answers> = { readonly [Code in keyof Said]-?: ReplyTo<Code, Said[Code]> }[keyof Said]

/** A reply whose shape is erased. */
export type AnyReply = JsonReply<number, unknown> | ContentReply<number> | EmptyReply<number>

/** The reply without a body. */
export const NO_CONTENT = { status: 204 } as const

/** Makes the response of a reply. */
export function send(c: Context<Service>, reply: AnyReply): Response {
  if ('json' in reply) return json(c, reply.status, reply.json)
  if ('content' in reply) return respond(c, reply.status, reply.content, reply.type)
  return respond(c, reply.status, null)
}
