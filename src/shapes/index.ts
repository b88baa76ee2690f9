/**
 * The shapes of answers. Programs that make or check the contract read them as values; the Worker imports their types
 * alone, so that they weigh nothing in it: the compiler holds its views to them, and the tests what it sends.
 */
import type * as z from 'zod/mini'
import { administrationShapes } from './administration.ts'
import { identityShapes } from './identity.ts'
import { keyOperationShapes } from './key-operations.ts'
import { resourceShapes } from './resources.ts'
import { secretShapes } from './secrets.ts'

export const shapes = {
  ...secretShapes,
  ...keyOperationShapes,
  ...resourceShapes,
  ...administrationShapes,
  ...identityShapes,
}

/** The values of shapes, by the name of the shape. */
export type Shapes = { readonly [Name in keyof typeof shapes]: z.infer<(typeof shapes)[Name]> }
