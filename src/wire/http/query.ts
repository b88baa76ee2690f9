/**
 * Query parameters. An operation declares each with the function that reads it, so that its values are typed, and the
 * contract says what the function takes. Other parameters are ignored.
 */

/** Reads a parameter from all the values that the query has for it; there may be none. */
export type Parameter<Value> = (values: readonly string[]) => Value

/** The parameters of an operation, by name. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>

export type NoParameters = Readonly<Record<string, never>>

export type ValuesOf<Declared extends Parameters> = {
  readonly [Name in keyof Declared]: ReturnType<Declared[Name]>
}

/** Returns the values of the declared parameters. Throws what their functions throw. */
export function valuesIn<Declared extends Parameters>(declared: Declared, search: URLSearchParams): ValuesOf<Declared> {
  const values = Object.entries(declared).map(([name, read]) => [name, read(search.getAll(name))])
  return Object.fromEntries(values) as ValuesOf<Declared>
}

/** The last value; undefined if the parameter is absent or empty. */
export const given = (values: readonly string[]): string | undefined => values.at(-1) || undefined

/** Whether the last value is `true`; every other value counts as false. */
export const flagged = (values: readonly string[]): boolean => values.at(-1) === 'true'
