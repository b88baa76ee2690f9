/** Old names of people.ts and stored.ts, for turns.test.ts and look-ups.test.ts only; delete it together with them. */
export { owner, person, type Person } from './people.ts'
export { idOf, limit, secret } from './stored.ts'
