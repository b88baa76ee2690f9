/**
 * What the schema of a body admits and the service refuses, with the sentence of a violated schema: rules that the
 * contract's schemas do not say, by operation.
 */
export const refusedByRules: Readonly<Record<string, readonly RegExp[]>> = {}
