/**
 * T2: every operation is requested by every kind of caller under every rule set, and the response is compared with
 * `expected-rights.ts`. A permitted request has an invalid body, an absent target or an entity of its own, so that no
 * cell changes the entities of another one.
 */
import { describe, expect, it } from 'vitest'
import { adminResources, resources } from '../../src/app.ts'
import { keyOperations } from '../../src/state/entities.ts'
import type { Answer } from '../support/client.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { keystoneVariables } from '../support/keystone.ts'
import { notPermitted } from '../support/refusals.ts'
import { grant } from '../support/transit.ts'
import { acl, canarySecret, emptyContainer, idOf, keyOrder } from '../support/stored.ts'
import { workerWith, type Send } from '../support/worker-with.ts'
import { expectedRights, isExpected, PAYLOAD_BY_TYPE, type Facts } from './expected-rights.ts'

const { keystone, person } = cloudOfKeystone()
const policies = ['legacy', 'secure', 'both'] as const
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const LEAST_CELLS = 5_000
/** Requests that are under way at a time; those that come together share their look-ups. */
const AT_ONCE = 96
const absent = '11111111-1111-4111-8111-111111111111'

const rolesOf = {
  'no role': [],
  reader: ['reader'],
  member: ['member', 'reader'],
  admin: ['admin', 'member', 'reader'],
  'admin of the cloud': ['admin', 'member', 'reader'],
  creator: ['creator'],
  observer: ['observer'],
  auditor: ['audit'],
  'service admin': ['key-manager:service-admin'],
} as const
type Role = keyof typeof rolesOf
const roles = Object.keys(rolesOf) as Role[]

/** The user's place towards the entity, or where the path names none, towards the project. */
const relations = ['owner', 'colleague', 'stranger', 'reader by ACL', 'user by grant'] as const
type Relation = (typeof relations)[number]

interface Operation {
  readonly key: string
  readonly method: string
  readonly path: string
  readonly name: string
  readonly hasBody: boolean
}

const everyResource = [
  ...resources.map((one) => ({ ...one, prefix: '/v1' })),
  ...adminResources.map((one) => ({ ...one, prefix: '/admin' })),
]
const keyOf = (method: string, prefix: string, path: string) => `${method} ${prefix === '/admin' ? prefix : ''}${path}`

const operations: readonly Operation[] = everyResource.flatMap(({ path, prefix, operations: of }) =>
  Object.entries(of).flatMap(([method, { name, body }]) => {
    const one = { method, path: prefix + path, name, hasBody: body !== undefined || method.startsWith('P') }
    const key = keyOf(method, prefix, path)
    const keys = typeof of[method as 'GET']?.rule === 'string' ? [key] : [key, PAYLOAD_BY_TYPE]
    return keys.map((each) => ({ ...one, key: each }))
  }),
)

interface Cell {
  readonly operation: Operation
  readonly role: Role
  readonly relation: Relation
  readonly isPrivate: boolean
}

const namesEntity = ({ path }: Operation) => /:(secret|container|order|authority)\b/.test(path)
/** What another project has is as good as absent: 404 before any rule. */
const isOfOneProject = ({ path }: Operation) => /:(order|authority)\b/.test(path)
const namesGuarded = ({ path }: Operation) => /:(secret|container)\b/.test(path)

/**
 * All callers of an operation. Where the path names no secret, container or order, nobody owns anything and nothing is
 * private: there are those of the project that made what is there, and the others.
 */
const cells: readonly Cell[] = operations.flatMap((operation) =>
  roles.flatMap((role) =>
    (namesEntity(operation) ? relations : (['owner', 'stranger'] as const)).flatMap((relation) =>
      (namesGuarded(operation) ? [false, true] : [false]).map((isPrivate) => ({
        operation,
        role,
        relation,
        isPrivate,
      })),
    ),
  ),
)

const labelOf = ({ operation: { key }, role, relation, isPrivate }: Cell) =>
  `${key} as ${role}, ${relation}${isPrivate ? ', private' : ''}`

type Kind = 'secret' | 'container' | 'order'
type Ids = Readonly<Record<string, string>>

/** What the cells of one rule set are about, and who asks. */
interface World {
  readonly send: Send
  readonly maker: Person
  readonly listed: string
  readonly granted: string
  readonly open: Ids
  readonly closed: Ids
  readonly callers: ReadonlyMap<string, Person>
}

const makers = { secret: canarySecret, container: emptyContainer, order: keyOrder } as const

async function made(
  kind: Kind,
  isPrivate: boolean,
  { send, maker, listed, granted }: Pick<World, 'send' | 'maker' | 'listed' | 'granted'>,
) {
  const ref = await makers[kind](send, maker)
  if (kind !== 'order') await acl(maker, ref, { 'project-access': !isPrivate, users: [listed] }, send)
  if (kind === 'secret') await grant(maker, ref, { [granted]: keyOperations }, { 'project-access': !isPrivate }, send)
  return idOf(ref)
}

const callerKey = (role: Role, relation: Relation) => `${role}, ${relation}`

function callersOf(maker: Person, listed: string, granted: string): ReadonlyMap<string, Person> {
  const home = { projectId: maker.projectId }
  const placeOf = {
    owner: { ...home, userId: maker.userId },
    colleague: home,
    stranger: {},
    'reader by ACL': { userId: listed },
    'user by grant': { userId: granted },
  }
  const pairs = roles.flatMap((role) =>
    relations.map((relation) => {
      const members = role === 'admin of the cloud' ? { is_admin_project: true } : {}
      return [callerKey(role, relation), person(rolesOf[role], { ...placeOf[relation], members })] as const
    }),
  )
  return new Map(pairs)
}

async function worldOf(policy: string): Promise<World> {
  const send = workerWith({ ...keystoneVariables, POLICY: policy, SECRET_STORES: 'multiple' })
  const maker = person(['creator', 'member', 'reader', 'observer'])
  const listed = `listed-${crypto.randomUUID()}`
  const granted = `granted-${crypto.randomUUID()}`
  const base = { send, maker, listed, granted }
  const first = async (path: string, list: string, ref?: string) => {
    const [one] = (await send('GET', path, { token: maker.token })).json[list]
    return idOf(ref === undefined ? one : one[ref])
  }
  const shared = {
    order: await made('order', false, base),
    store: await first('/v1/secret-stores', 'secret_stores', 'secret_store_ref'),
    authority: await first('/v1/cas', 'cas'),
    project: maker.projectId,
    version: '1',
  }
  const idsOf = async (isPrivate: boolean) => ({
    ...shared,
    secret: await made('secret', isPrivate, base),
    container: await made('container', isPrivate, base),
  })
  return { ...base, open: await idsOf(false), closed: await idsOf(true), callers: callersOf(maker, listed, granted) }
}

function factsOf({ operation, role, relation, isPrivate }: Cell): Facts {
  return {
    roles: rolesOf[role],
    projectMatch: !namesEntity(operation) || relation === 'owner' || relation === 'colleague',
    creatorUser: relation === 'owner',
    privateRead: isPrivate,
    aclRead: relation === 'reader by ACL' && namesGuarded(operation),
    useClosed: isPrivate,
    useGranted: relation === 'user by grant' && /:secret\b/.test(operation.path),
    cloudAdmin: role === 'admin of the cloud',
  }
}

/** The kind of entity that an admitted `DELETE` ends, or whose ACL it ends. */
const endedBy = ({ method, path, hasBody }: Operation): Kind | null => {
  const [, kind] = /:(secret|container|order)(\/acl(?:\/use)?)?$/.exec(path) ?? []
  return method === 'DELETE' && !hasBody && kind !== undefined ? (kind as Kind) : null
}

async function ask(cell: Cell, isAdmitted: boolean, world: World): Promise<Answer> {
  const { operation, role, relation, isPrivate } = cell
  const ended = isAdmitted ? endedBy(operation) : null
  const ids = {
    ...(isPrivate ? world.closed : world.open),
    ...(ended && { [ended]: await made(ended, isPrivate, world) }),
  }
  const path = operation.path.replaceAll(/:(\w+)/g, (_match, name: string) => ids[name as keyof typeof ids] ?? absent)
  const token = world.callers.get(callerKey(role, relation))?.token
  const headers = operation.key === PAYLOAD_BY_TYPE ? { Accept: 'text/plain' } : {}
  return world.send(operation.method, path, { token, headers, ...(operation.hasBody && { json: [] }) })
}

/** How an operation may end that was admitted: at its invalid body, at what is absent, or well. */
function endings({ key, method, path, hasBody }: Operation): readonly number[] {
  if (key === 'PUT /orders') return [400, 405]
  if (key === 'POST /secret-stores/:store/preferred') return [204]
  if (key.endsWith('/revoke')) return [404]
  // Version 1 is the current one.
  if (key === 'DELETE /secrets/:secret/versions/:version') return [409]
  if (hasBody) return [400, 415]
  const mayBeAbsent = /:(key|consumer|project)\b|\/preferred$/.test(path)
  return [...(method === 'GET' ? [200] : [200, 204]), ...(mayBeAbsent ? [404] : [])]
}

/** What is wrong with the answer to a cell; null: nothing. */
async function faultOf(cell: Cell, policy: (typeof policies)[number], world: World): Promise<string | null> {
  const { operation, relation } = cell
  const facts = factsOf(cell)
  const isHidden = isOfOneProject(operation) && !facts.projectMatch
  const isAdmitted = !isHidden && isExpected(operation.key, policy, facts)
  const { status, json } = await ask(cell, isAdmitted, world)
  const said = `${labelOf(cell)}: ${status} ${json?.description ?? ''}`
  if (isHidden) return status === 404 && relation !== 'owner' ? null : `${said}, not hidden`
  if (isAdmitted) return endings(operation).includes(status) ? null : `${said}, not admitted`
  return status === 403 && json.description === notPermitted(operation.name) ? null : `${said}, not refused`
}

async function faultsOf<One>(all: readonly One[], check: (one: One) => Promise<string | null>): Promise<string[]> {
  const faults: string[] = []
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const found = await Promise.all(all.slice(at, at + AT_ONCE).map(check))
    faults.push(...found.filter((fault) => fault !== null))
  }
  return faults
}

describe('T2: the rights of every caller to every operation', () => {
  it('T2: the table of expectations names every operation and no other', () => {
    expect(Object.keys(expectedRights).toSorted()).toEqual(operations.map(({ key }) => key).toSorted())
    expect(cells.length * policies.length).toBeGreaterThan(LEAST_CELLS)
  })

  it.each(policies)(
    'T2: every operation admits and refuses whom the text of the policy says under the rule set %s',
    async (policy) => {
      const world = await worldOf(policy)
      expect(await faultsOf(cells, (cell) => faultOf(cell, policy, world))).toEqual([])
    },
    300_000,
  )

  it('T2: every method of every route is 401 without a token and by one that nobody issued, 405 where there is none', async () => {
    const world = await worldOf('both')
    const token = world.callers.get(callerKey('admin of the cloud', 'owner'))?.token
    const unscoped = keystone.issue({ roles: ['admin'] })
    const asked = everyResource.flatMap(({ path, prefix, operations: of }) =>
      methods.map((method) => ({ method, path: prefix + path, isThere: Object.hasOwn(of, method) })),
    )
    const faults = await faultsOf(asked, async ({ method, path, isThere }) => {
      const at = path.replaceAll(/:(\w+)/g, (_match, name: string) => world.open[name] ?? absent)
      const statuses = await Promise.all(
        [undefined, 'gAAAAAnobody', unscoped].map(async (one) => (await world.send(method, at, { token: one })).status),
      )
      const known = isThere ? 405 : (await world.send(method, at, { token })).status
      return statuses.every((status) => status === 401) && known === 405
        ? null
        : `${method} ${path}: ${statuses.join(' ')} ${known}`
    })
    expect(faults).toEqual([])
  }, 60_000)
})
