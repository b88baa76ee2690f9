/** Members that shapes have in common. A description says what neither the name nor the type of a member says. */
import * as z from 'zod/mini'

/** Returns the schema with a description. */
export const described = <Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema =>
  schema.check(z.meta({ description }))

/** A list, which views may only read. */
export const list = <Item extends z.ZodMiniType>(item: Item) => z.readonly(z.array(item))

/** A text of which only these values are sent, where the type of the view says less. */
export const oneOf = (values: readonly string[]) => z.string().check(z.meta({ enum: [...values] }))

/** UTC, without a zone. Barbican leaves out the fraction when it is zero. */
export const time = () => z.string().check(z.meta({ pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$` }))

export const timeOrNull = () => z.nullable(time())
export const textOrNull = () => z.nullable(z.string())
export const count = () => z.int().check(z.meta({ minimum: 0 }))

/** An absolute URL below the base of the service, with the project in its path if the request has it. */
export const ref = () => z.string().check(z.meta({ format: 'uri' }))

/** The status of everything but orders and versions. */
export const active = () => z.literal('ACTIVE')

/** The members of a page beside its entries. */
export const pageMembers = () => ({
  previous: described(z.optional(ref()), 'The page before this one; absent on the first.'),
  next: described(z.optional(ref()), 'The page after this one; absent on the last.'),
  total: described(count(), 'How many entries match, on all pages.'),
})
