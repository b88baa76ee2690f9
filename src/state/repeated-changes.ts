/**
 * Changes of an entity that are stored only over the row that they were made from. One that meets another change is made
 * again from the row as it then is. The other one may have shut the caller out, so the rule is asked again first.
 */
import type { Backend } from './backend.ts'
import { untilStored, type CONFLICT, type Patience } from './database/conflicts.ts'
import type { Container, Secret } from './entities.ts'

/** What a change is made from, and how it is read again. */
export interface Current<Found> {
  /** As it was found, when the rule admitted the caller. */
  readonly found: Found
  readonly readAgain: () => Promise<Found>
  /** The entity that the rule is asked of. */
  readonly entityOf: (found: Found) => Secret | Container
}

/** An entity whose own row the change is made from. */
export const currentEntity = <Entity extends Secret | Container>(
  found: Entity,
  readAgain: () => Promise<Entity>,
): Current<Entity> => ({ found, readAgain, entityOf: (entity) => entity })

/**
 * Makes the change until an attempt does not return CONFLICT, and returns what that one returns. Throws `notPermitted` if
 * the caller may no longer change the entity, `changedConcurrently` if every attempt had a conflict, and what `readAgain`
 * and `attempt` throw.
 */
export function overCurrent<Found, Value>(
  backend: Backend,
  { found, readAgain, entityOf }: Current<Found>,
  attempt: (current: Found) => Promise<Value | typeof CONFLICT>,
  patience?: Patience,
): Promise<Value> {
  let isFirst = true
  return untilStored(
    async () => {
      if (isFirst) {
        isFirst = false
        return attempt(found)
      }
      const current = await readAgain()
      await backend.stillAllowed(entityOf(current))
      return attempt(current)
    },
    undefined,
    patience,
  )
}
