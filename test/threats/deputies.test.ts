/**
 * T34, the confused deputy: an order is run by the service, so that somebody could have it do what only another may. A run
 * has the rights of who asked last, whoever placed the order, and its result is as private as what it was made from.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call, database } from '../support/client.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { expectRefusal, notPermitted, quotaReached } from '../support/refusals.ts'
import { close, idOf, limit } from '../support/stored.ts'
import { requests } from '../vectors/certificate-requests.json'

const NO_CONTAINER = {
  status: 'ERROR',
  error_reason:
    'Process TypeOrder issue seen - Invalid operation requested - Reason: There is no such container that the order may use.',
}

let admin: Person
let maker: Person
let colleague: Person
beforeAll(async () => {
  admin = await owner()
  maker = await person(['creator'], { projectId: admin.projectId })
  colleague = await person(['creator'], { projectId: admin.projectId })
})

const sendAs = (who: Person) => callAs(() => who)

/** The order once it is over. */
async function ended(who: Person, ref: string) {
  const read = async () => (await sendAs(who)('GET', ref)).json
  await expect.poll(async () => (await read()).status, { timeout: 20_000 }).not.toBe('PENDING')
  return read()
}

async function ordered(who: Person, type: string, meta: object) {
  const placed = await sendAs(who)('POST', '/v1/orders', { json: { type, meta } })
  expect(placed.status, placed.text).toBe(202)
  return ended(who, placed.json.order_ref)
}

/** A key pair of this person, private to the person and these users. */
async function privatePair(who: Person, users: readonly string[] = []): Promise<string> {
  const { container_ref: ref } = await ordered(who, 'asymmetric', { algorithm: 'ec', bit_length: 256 })
  const { json } = await sendAs(who)('GET', ref)
  for (const secret of json.secret_refs as { secret_ref: string }[]) await close(call, who, secret.secret_ref, users)
  await close(call, who, ref, users)
  return ref
}

const failedOrder = async (who: Person) => (await ordered(who, 'certificate', {})).order_ref as string
const stored = (ref: string) => ({ request_type: 'stored-key', container_ref: ref, subject_dn: 'cn=a.example' })
const update = (who: Person, ref: string, meta: object) => sendAs(who)('PUT', ref, { json: { meta } })

const eventsOf = async (order: string) => {
  const { results } = await database
    .prepare(
      "select action, initiator_id as initiator, on_behalf_of as behalf from audit_events where target_id = ? and target_type = 'data/security/order' order by seq",
    )
    .bind(idOf(order))
    .all<{ action: string; initiator: string | null; behalf: string | null }>()
  return results
}

describe('T34: an order of somebody else', () => {
  it('T34: a colleague cannot have it run for the private container of its owner', async () => {
    const [pair, order] = [await privatePair(maker), await failedOrder(maker)]
    const before = (await sendAs(maker)('GET', order)).json
    expectRefusal(await update(colleague, order, stored(pair)), 403, notPermitted('Order update'))
    expectRefusal(await update(colleague, order, { request_data: requests.p256 }), 403, notPermitted('Order update'))
    expect((await sendAs(maker)('GET', order)).json).toEqual(before)
  })

  it('T34: an admin of the project has it run with the rights of the admin, and the log names both', async () => {
    const [theirs, own] = [await privatePair(maker), await privatePair(admin)]
    const order = await failedOrder(maker)
    expect((await update(admin, order, stored(theirs))).status).toBe(204)
    expect(await ended(admin, order)).toMatchObject({ ...NO_CONTAINER, creator_id: maker.userId })
    expect((await update(admin, order, stored(own))).status).toBe(204)
    const view = await ended(admin, order)
    expect(view).toMatchObject({ status: 'ACTIVE', creator_id: maker.userId })
    // What is made from the admin's private container is not the order's creator's to read.
    expect((await sendAs(maker)('GET', view.container_ref)).status).toBe(403)
    expect((await sendAs(admin)('GET', view.container_ref)).status).toBe(200)
    const events = await eventsOf(order)
    expect(events.map(({ initiator, behalf }) => [initiator, behalf])).toEqual([
      [maker.userId, null],
      [null, maker.userId],
      [admin.userId, null],
      [null, admin.userId],
      [admin.userId, null],
      [null, admin.userId],
    ])
  })

  it('T34: its owner may use the own private container again after an admin has updated it', async () => {
    const [pair, order] = [await privatePair(maker), await failedOrder(maker)]
    expect((await update(admin, order, {})).status).toBe(204)
    expect((await ended(maker, order)).status).toBe('ERROR')
    expect((await update(maker, order, stored(pair))).status).toBe(204)
    expect((await ended(maker, order)).status).toBe('ACTIVE')
  })

  it('T34: who asked last cannot be changed in the database without the order being refused', async () => {
    const order = await failedOrder(maker)
    await database.prepare('update orders set requester_id = ? where id = ?').bind(colleague.userId, idOf(order)).run()
    expect((await sendAs(maker)('GET', order)).status).toBe(500)
  })
})

describe('T34: the result of an order', () => {
  it('T34: is as private as the container that it came from', async () => {
    const pair = await privatePair(maker, [admin.userId])
    const { container_ref: ref } = await ordered(maker, 'certificate', stored(pair))
    const { json } = await sendAs(maker)('GET', ref)
    const names = (json.secret_refs as { name: string }[]).map(({ name }) => name)
    expect(names).toEqual(['certificate', 'intermediates', 'private_key'])
    const refs = [ref, ...(json.secret_refs as { secret_ref: string }[]).map((one) => one.secret_ref)]
    for (const one of refs) {
      expect((await sendAs(colleague)('GET', one)).status, one).toBe(403)
      const { read } = (await sendAs(maker)('GET', `${one}/acl`)).json
      expect(read).toMatchObject({ 'project-access': false, users: [admin.userId] })
    }
    // The lists of what an ACL gives somebody know of it too.
    const listed = await sendAs(admin)('GET', '/v1/secrets?acl_only=true&limit=100')
    const found = (listed.json.secrets as { secret_ref: string }[]).map((one) => one.secret_ref)
    expect(found).toEqual(expect.arrayContaining(refs.slice(1)))
  })

  it('T34: is open to the project when the container that it came from is', async () => {
    const { container_ref: pair } = await ordered(maker, 'asymmetric', { algorithm: 'ec', bit_length: 256 })
    const { container_ref: ref } = await ordered(maker, 'certificate', stored(pair))
    expect((await sendAs(colleague)('GET', ref)).status).toBe(200)
  })
})

describe('T34: an order that is given another meta', () => {
  it('T34: is refused when there is no room for what it would make', async () => {
    const who = await owner()
    const orders = [await failedOrder(who), await failedOrder(who)]
    await limit(who.projectId, { secrets: 2, containers: 1 })
    const [first, second] = orders
    expect((await update(who, first ?? '', { request_data: requests.p256 })).status).toBe(204)
    const refused = await update(who, second ?? '', { request_data: requests.p256 })
    expectRefusal(refused, 403, `Order update issue seen - ${quotaReached}`)
    expect((await ended(who, first ?? '')).status).toBe('ACTIVE')
    expect((await ended(who, second ?? '')).status).toBe('ERROR')
  })
})
