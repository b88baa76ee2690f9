/** Certificate authorities of projects: none stands for another project, and what they have issued is listed and revoked. */
import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect } from 'vitest'
import { base } from '../support/client.ts'
import { itDiffers } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'
import { revokedSerials } from '../support/revocation-list.ts'
import { requests } from '../vectors/certificate-requests.json'

const issues = itDiffers('order types')
/** How long an order may take, in milliseconds. */
const ENDED = 20_000
const TEXT = { headers: { Accept: '*/*' } }

/** What a project has for the tests: a certificate, its container and the authority that issued it. */
interface Estate {
  readonly who: Person
  readonly send: ReturnType<typeof callAs>
  readonly authority: string
}

/** Orders a certificate and gives its container's ref once it is there. */
async function ordered(send: Estate['send'], more: object = {}): Promise<string> {
  const meta = { request_type: 'simple-cmc', request_data: btoa(requests.p256), ...more }
  const placed = await send('POST', '/v1/orders', { json: { type: 'certificate', meta } })
  expect(placed.status, placed.text).toBe(202)
  for (const until = Date.now() + ENDED; Date.now() < until;) {
    const { json } = await send('GET', placed.json.order_ref)
    if (json.status === 'ACTIVE') return json.container_ref
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the order did not end')
}

async function estate(): Promise<Estate> {
  const who = await owner()
  const send = callAs(() => who)
  await ordered(send)
  const { json } = await send('GET', '/v1/cas')
  return { who, send, authority: json.cas[0] }
}

const part = async ({ send, authority }: Estate, name: string) => (await send('GET', `${authority}/${name}`, TEXT)).text

async function certificateIn({ send }: Estate, container: string): Promise<X509Certificate> {
  const { json } = await send('GET', container)
  const refs = json.secret_refs as { name: string; secret_ref: string }[]
  const ref = refs.find(({ name }) => name === 'certificate')?.secret_ref
  return new X509Certificate((await send('GET', `${ref}/payload`, TEXT)).text)
}

const listed = async ({ send, authority }: Estate) => (await send('GET', `${authority}/certificates`)).json
const revoke = ({ send, authority }: Estate, serial: string) =>
  send('POST', `${authority}/certificates/${serial}/revoke`, TEXT)
const revokedIn = async (of: Estate) => revokedSerials(await part(of, 'crl'))

let ours: Estate
let theirs: Estate
beforeAll(async () => {
  ours = await estate()
  theirs = await estate()
}, 120_000)

describe('the authority of a project', () => {
  issues('has a root of its own, which verifies no certificate of another project', async () => {
    const roots = await Promise.all([ours, theirs].map(async (one) => new X509Certificate(await part(one, 'cacert'))))
    const between = await Promise.all(
      [ours, theirs].map(async (one) => new X509Certificate(await part(one, 'intermediates'))),
    )
    const leaves = await Promise.all(
      [ours, theirs].map(async (one) => certificateIn(one, (await listed(one)).certificates[0].container_ref)),
    )
    for (const [at, root] of roots.entries()) {
      expect(between.map((issuing) => issuing.verify(root.publicKey))).toEqual([at === 0, at === 1])
      expect(leaves.map((leaf) => leaf.verify(root.publicKey))).toEqual([false, false])
    }
    for (const [at, issuing] of between.entries())
      expect(leaves.map((leaf) => leaf.verify(issuing.publicKey))).toEqual([at === 0, at === 1])
    expect(roots[0]?.subject).not.toBe(roots[1]?.subject)
  })

  issues('is not shown to another project, whatever the role, and does not issue for it', async () => {
    const operator = await person(['admin', 'key-manager:service-admin'])
    const strangers = [theirs.send, callAs(() => operator)]
    for (const send of strangers) {
      for (const name of ['', '/cacert', '/intermediates', '/crl', '/certificates']) {
        const answer = await send('GET', `${ours.authority}${name}`)
        expectRefusal(answer, 404, 'Not Found. Certificate authority not found.')
      }
      expect((await send('GET', '/v1/cas')).json.cas).not.toContain(ours.authority)
    }
    const meta = { request_data: requests.p256, ca_id: ours.authority.split('/').at(-1) }
    const placed = await theirs.send('POST', '/v1/orders', { json: { type: 'certificate', meta } })
    await expect
      .poll(async () => (await theirs.send('GET', placed.json.order_ref)).json, { timeout: ENDED })
      .toMatchObject({
        status: 'ERROR',
        error_reason:
          'Process TypeOrder issue seen - Invalid operation requested - Reason: There is no such certificate authority.',
      })
  })
})

describe('GET /v1/cas/{id}/certificates', () => {
  issues('lists what the authority has issued, oldest first and in pages', async () => {
    const mine = await estate()
    const containers = [(await listed(mine)).certificates[0].container_ref as string]
    for (let count = 0; count < 2; count += 1) containers.push(await ordered(mine.send))
    const { certificates, total } = await listed(mine)
    expect(total).toBe(3)
    expect((certificates as { container_ref: string }[]).map((one) => one.container_ref)).toEqual(containers)
    const { serialNumber, validTo } = await certificateIn(mine, containers[2] ?? '')
    expect(certificates[2]).toEqual({
      serial: serialNumber.toLowerCase().padStart(32, '0'),
      container_ref: containers[2],
      created: expect.any(String),
      expiration: expect.any(String),
      revoked: null,
    })
    expect(Math.abs(Date.parse(`${certificates[2].expiration}Z`) - Date.parse(validTo))).toBeLessThan(1_000)
    const first = (await mine.send('GET', `${mine.authority}/certificates?limit=2`)).json
    expect(first.certificates).toEqual(certificates.slice(0, 2))
    expect(first.next).toBe(`${mine.authority}/certificates?limit=2&offset=2`)
    expect((await mine.send('GET', first.next)).json.certificates).toEqual(certificates.slice(2))
  })

  issues('is for the admin of the project and the service admin', async () => {
    for (const roles of [['creator'], ['observer'], ['audit']] as const) {
      const colleague = await person(roles, { projectId: ours.who.projectId })
      const send = callAs(() => colleague)
      const { certificates } = await listed(ours)
      const name = 'Issued Certificate(s) retrieval'
      expectRefusal(await send('GET', `${ours.authority}/certificates`), 403, notPermitted(name))
      const refused = await revoke({ ...ours, send }, certificates[0].serial)
      expectRefusal(refused, 403, notPermitted('Issued Certificate revocation'))
    }
    const operator = await person(['key-manager:service-admin'], { projectId: ours.who.projectId })
    expect((await listed({ ...ours, send: callAs(() => operator) })).total).toBeGreaterThan(0)
  })
})

describe('POST /v1/cas/{id}/certificates/{serial}/revoke', () => {
  issues('revokes a certificate whose container was deleted without a revocation', async () => {
    const container = await ordered(ours.send)
    const serial = (await certificateIn(ours, container)).serialNumber
    expect((await ours.send('DELETE', container)).status).toBe(204)
    expect((await revoke(ours, serial)).status).toBe(204)
    const { certificates } = await listed(ours)
    const entry = (certificates as { container_ref: string; serial: string; revoked: string }[]).find(
      (one) => one.container_ref === container,
    )
    expect(Date.parse(`${entry?.revoked}Z`)).toBeLessThanOrEqual(Date.now())
    expect(await revokedIn(ours)).toContain(entry?.serial)
    // Again, it stays revoked since the first time.
    expect((await revoke(ours, serial.toLowerCase())).status).toBe(204)
    expect((await listed(ours)).certificates).toEqual(certificates)
  })

  issues('leaves a certificate that stays in its container in the list of its authority alone', async () => {
    const container = await ordered(ours.send)
    const serial = (await certificateIn(ours, container)).serialNumber
    expect((await revoke(ours, serial)).status).toBe(204)
    expect((await ours.send('GET', container)).status).toBe(200)
    expect(await revokedIn(theirs)).toEqual([])
  })

  issues('is 404 for the certificate of another project and for one that was not issued', async () => {
    const [certificate] = (await listed(theirs)).certificates
    const absent = 'Not Found. The authority has issued no such certificate.'
    expectRefusal(await revoke(ours, certificate.serial), 404, absent)
    expectRefusal(await revoke(ours, 'x'), 404, absent)
    const stranger = await revoke({ ...theirs, send: ours.send }, certificate.serial)
    expectRefusal(stranger, 404, 'Not Found. Certificate authority not found.')
    expectRefusal(
      await revoke({ ...ours, authority: `${base}/v1/cas/x` }, '0'),
      404,
      'Not Found. Certificate authority not found.',
    )
    expect((await listed(theirs)).certificates[0]).toEqual(certificate)
  })
})
