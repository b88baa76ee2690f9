/**
 * The deployment that an object belongs to: that of its first call or alarm, kept in its storage. An object that finds
 * another one, because its database was exchanged, changes and seals nothing.
 */
import { fault } from '../../faults.ts'
import { build, preparedSelect } from '../database/prepared.ts'
import type { Connection } from '../database/session.ts'
import { deployments } from '../schema/deployment.ts'

const STORED = 'deployment'

const ofDatabase = preparedSelect({ id: deployments.id }, (columns) => build.select(columns).from(deployments))

export class Belonging {
  readonly #storage: DurableObjectStorage
  #id: string | undefined
  #hasAsked = false

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Joins this deployment if the object belongs to none; throws `objectsForeign` if it belongs to another. */
  async requireDeployment(id: string): Promise<void> {
    // A Worker of before there were deployments sends none.
    if (!id) throw fault('objectsForeign')
    this.#id ??= await this.#storage.get<string>(STORED)
    if (this.#id === undefined) {
      await this.#storage.put(STORED, id)
      this.#id = id
    }
    if (this.#id !== id) throw fault('objectsForeign')
  }

  /** Like {@link requireDeployment} for the database's own, in one round trip for each start of the object. */
  async requireDatabase(db: Connection): Promise<void> {
    if (this.#hasAsked) return
    const [found] = await db.run(ofDatabase({}))
    if (!found) throw fault('objectsForeign')
    await this.requireDeployment(found.id)
    this.#hasAsked = true
  }
}
