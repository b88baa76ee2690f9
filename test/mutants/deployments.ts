/** Small faults in whether a database is served: its schema, its deployment, and the belonging of objects. */
import { inFile } from './fault.ts'

export const inDeployments = [
  ...inFile(
    'state/deployment/admission',
    ['state/deployment'],
    [
      'if (requires !== null && !migrations.some(({ name }) => name === requires))',
      'if (requires !== null && migrations.length === 0)',
      'a schema of the future is served',
    ],
    ['if (!isCurrent) throw migrating(parts, mayChange)', '', 'a database without the newest migration is served'],
    ["if (!isOwn(parts, now)) throw fault('objectsForeign')", '', 'a Worker with other objects is served'],
    ['answer.id === adopted && !isOwn(parts, answer)', '!isOwn(parts, answer)', 'any Worker takes the database over'],
    ['if (id !== null) admitted.set(parts.keyring, id)', '', 'every request asks, and no order can be placed'],
  ),
  ...inFile(
    'state/database/session',
    ['state/deployment'],
    [
      "...(admission.state === 'open' ? [admission] : []),",
      '',
      'results are used before the answer has admitted the isolate',
    ],
  ),
  ...inFile(
    'state/object/belonging',
    ['state/deployment'],
    ["if (this.#id !== id) throw fault('objectsForeign')", '', 'an object of another deployment goes on'],
  ),
  ...inFile(
    'state/object/migrate',
    ['state/deployment'],
    ['await record.run()', '', 'a completed migration is not recorded'],
    ['if (!isRepetition(error)) throw error', 'throw error', 'a migration that was cut off is never completed'],
  ),
  ...inFile(
    'state/deployment/admission',
    ['threats/storage'],
    ['if (answer.mac !== null) await requireKeys(parts, answer)', '', 'a row that was changed is believed'],
  ),
]
