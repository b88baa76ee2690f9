/** The members of a new secret, or beside `meta` of an order, that say how the key may be used. */
import * as z from 'zod/mini'
import { areOfOneFamily, possibleUsages, usageNames, type Usage } from '../state/secrets/usages.ts'
import { pythonNotation } from './http/python.ts'
import { flag, list, schemaFault, text } from './http/schema.ts'

/** The members, for the schema of a body. */
export const useMembers = () => ({
  extractable: z.optional(flag()),
  usages: z.optional(list(text({ oneOf: usageNames }))),
})

interface UseBody {
  readonly extractable?: boolean | undefined
  readonly usages?: readonly string[] | undefined
}

/** How a new key may be used, in the form of `NewSecret`. */
export interface Use {
  readonly extractable: false | null
  readonly usages: readonly Usage[] | null
}

interface Kind {
  readonly secretType: string
  readonly algorithm: string | null
}

/**
 * Validates the members for a key of this kind. Throws `schema` for usages of several families or that the kind cannot
 * have, and for a secret that nobody could either read or use.
 */
export function checkedUse({ extractable, usages }: UseBody, kind: Kind, schema: string): Use {
  const possible = possibleUsages(kind)
  const wanted = usages ? (usages as readonly Usage[]) : null
  const other = wanted?.find((usage) => !possible.includes(usage))
  if (other !== undefined)
    throw schemaFault(schema, `${pythonNotation(other)} is not a usage of a '${kind.secretType}' secret`, 'usages')
  if (wanted && !areOfOneFamily(wanted))
    throw schemaFault(schema, `${pythonNotation(wanted)} are usages of more than one family`, 'usages')
  if (extractable === false && possible.length === 0)
    throw schemaFault(schema, `a '${kind.secretType}' secret that cannot be read is of no use`, 'extractable')
  return { extractable: extractable === false ? false : null, usages: wanted }
}
