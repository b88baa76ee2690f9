/** Optimistic changes: retried from the row as it is then, a bounded number of times, and 409 after that. */
import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/faults.ts'
import { CONFLICT, untilStored } from '../../src/state/database/conflicts.ts'
import { setAcl } from '../../src/state/acls.ts'
import { findSecret } from '../../src/state/secrets/secrets.ts'
import { backendAt } from '../support/backend.ts'
import { database } from '../support/client.ts'
import { owner } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

describe('a change that others overtake', () => {
  it('a change is attempted until it is stored, and its value is returned', async () => {
    let attempts = 0
    const attempt = async () => ((attempts += 1) < 3 ? CONFLICT : 'stored')
    expect(await untilStored(attempt)).toBe('stored')
    expect(attempts).toBe(3)
  })

  it('a change that is overtaken every time ends with 409 after five attempts', async () => {
    let attempts = 0
    const attempt = async () => {
      attempts += 1
      return CONFLICT
    }
    const error = await untilStored(attempt).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Fault)
    expect((error as Fault).failure).toBe('changedConcurrently')
    expect((error as Fault).status).toBe(409)
    expect(attempts).toBe(5)
  })

  it('an ACL that was made from an older state of its secret is made again from the present one', async () => {
    const who = await owner()
    const id = idOf(await secret(who))
    const backend = await backendAt('2026-11-22T00:00:00.000000')
    const read = await findSecret(backend, id)
    await setAcl(backend, 'secret', read, { projectAccess: false, users: undefined }, false)
    // PATCH of the users alone: the project access that was stored since is kept.
    await setAcl(backend, 'secret', read, { projectAccess: undefined, users: ['somebody'] }, false)
    expect((await findSecret(backend, id)).acl).toMatchObject({ projectAccess: false, users: ['somebody'] })
  })

  it('an ACL over a row whose MAC changes all the time is refused with 409, and nothing is stored', async () => {
    const who = await owner()
    const id = idOf(await secret(who))
    const backend = await backendAt('2026-11-22T00:00:00.000000')
    const read = await findSecret(backend, id)
    await database
      .prepare('create trigger overtaken before update of acl_users on secrets begin select raise(ignore); end')
      .run()
    try {
      const given = { projectAccess: false, users: undefined }
      await expect(setAcl(backend, 'secret', read, given, true)).rejects.toMatchObject({
        failure: 'changedConcurrently',
      })
    } finally {
      await database.prepare('drop trigger overtaken').run()
    }
    expect((await findSecret(backend, id)).acl).toBeNull()
  })
})
