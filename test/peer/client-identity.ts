/** Steps of the stock client with projects, users, roles and application credentials. */
import assert from 'node:assert/strict'
import { create } from './client-resources.ts'
import {
  expectColumn,
  expectColumns,
  list,
  refuse,
  show,
  succeed,
  text,
  uniqueName,
  withPassword,
  type Row,
  type Session,
} from './openstack.ts'

const UNAUTHENTICATED = /The request you have made requires authentication\. \(HTTP 401\)/
const FORBIDDEN = /\(HTTP 403\)/
const CONFLICT = /\(HTTP 409\)/
const missing = (kind: string): RegExp =>
  new RegExp(`No ${kind} with a name or ID of '[^']+' exists|\\(HTTP 404\\)`, 'i')

/** Creates, shows, lists, changes and deletes an entity; `changes` are options of `set` with their expected effect. */
async function life(
  session: Session,
  kind: 'project' | 'user' | 'role',
  options: readonly string[],
  changes: readonly (readonly [options: readonly string[], effect: Row])[],
): Promise<void> {
  const { step } = session.report
  const name = uniqueName(kind)
  const id = await step(`${kind} create`, async () => {
    const created = await show(session, kind, 'create', name, ...options)
    expectColumns(created, { name, domain_id: kind === 'role' ? null : 'default' })
    return text(created, 'id')
  })
  await step(`${kind} create of a name that exists is refused`, () =>
    refuse(session, CONFLICT, kind, 'create', name, ...options),
  )
  await step(`${kind} show by name`, async () => expectColumns(await show(session, kind, 'show', name), { id, name }))
  await step(`${kind} show by id`, async () => expectColumns(await show(session, kind, 'show', id), { id, name }))
  await step(`${kind} list`, async () => {
    const rows = await list(session, kind, 'list')
    expectColumns(rows.find((row) => row.ID === id) ?? {}, { ID: id, Name: name })
  })
  for (const [args, effect] of changes)
    await step(`${kind} set ${args[0]}`, async () => {
      await succeed(session, kind, 'set', ...args, id)
      expectColumns(await show(session, kind, 'show', id), effect)
    })
  await step(`${kind} delete`, () => succeed(session, kind, 'delete', id))
  await step(`${kind} show after ${kind} delete is refused`, () => refuse(session, missing(kind), kind, 'show', id))
}

interface Account {
  readonly project: string
  readonly user: string
  readonly userId: string
  readonly session: Session
}

/** Creates a project and a user without a role on it, with a session of that user. */
async function createAccount(session: Session): Promise<Account> {
  const [project, user, password] = [uniqueName('project'), uniqueName('user'), uniqueName('password')]
  await succeed(session, 'project', 'create', project)
  const created = await show(session, 'user', 'create', user, '--password', password, '--project', project)
  const changed = { OS_USERNAME: user, OS_PASSWORD: password, OS_PROJECT_NAME: project }
  return { project, user, userId: text(created, 'id'), session: withPassword(session, changed) }
}

const onProject = ({ project, user }: Account): readonly string[] => ['--project', project, '--user', user]

async function deleteAccount(session: Session, { project, userId }: Account): Promise<void> {
  await succeed(session, 'user', 'delete', userId)
  await succeed(session, 'project', 'delete', project)
}

async function assignments(session: Session): Promise<void> {
  const { step } = session.report
  const account = await step('a project and a user for role assignments', () => createAccount(session))
  const assigned = () => list(session, 'role', 'assignment', 'list', ...onProject(account), '--names')
  await step('token issue of a user without a role is refused', () =>
    refuse(account.session, UNAUTHENTICATED, 'token', 'issue'),
  )
  await step('role add', async () => {
    for (const role of ['creator', 'member']) await succeed(session, 'role', 'add', ...onProject(account), role)
  })
  await step('role assignment list', async () => {
    const rows = await assigned()
    expectColumn(rows, 'Role', ['creator', 'member'])
    for (const row of rows) {
      assert.match(text(row, 'User'), new RegExp(`^${account.user}@`))
      assert.match(text(row, 'Project'), new RegExp(`^${account.project}@`))
    }
  })
  await step('token issue of a user with roles', async () =>
    expectColumns(await show(account.session, 'token', 'issue'), { user_id: account.userId }),
  )
  const ref = await step('secret store of a user with roles', () =>
    create(account.session, 'Secret href', 'secret', 'store', '--name', uniqueName('own'), '--payload', 'x'),
  )
  await step('secret get from another project is refused', () =>
    refuse(session, /Forbidden: |Not Found: /, 'secret', 'get', ref, '--file', `${session.folder}/never-written`),
  )
  await step('project create by a user who is no administrator is refused', () =>
    refuse(account.session, FORBIDDEN, 'project', 'create', uniqueName('refused')),
  )
  await succeed(account.session, 'secret', 'delete', ref)
  await step('role remove', async () => {
    await succeed(session, 'role', 'remove', ...onProject(account), 'creator')
    expectColumn(await assigned(), 'Role', ['member'])
    await succeed(session, 'role', 'remove', ...onProject(account), 'member')
    assert.deepEqual(await assigned(), [])
  })
  await step('token issue after role remove is refused', () =>
    refuse(account.session, UNAUTHENTICATED, 'token', 'issue'),
  )
  await deleteAccount(session, account)
}

async function passwords(session: Session): Promise<void> {
  const { step } = session.report
  const account = await step('a project and a user for passwords', () => createAccount(session))
  await succeed(session, 'role', 'add', ...onProject(account), 'member')
  const password = uniqueName('changed')
  await step('user set --password: the old one no longer logs in', async () => {
    await succeed(session, 'user', 'set', '--password', password, account.userId)
    await refuse(account.session, UNAUTHENTICATED, 'token', 'issue')
  })
  const changed = withPassword(account.session, { OS_PASSWORD: password })
  await step('user set --password: the new one logs in', () => show(changed, 'token', 'issue'))
  await step('user set --disable: the user no longer logs in', async () => {
    await succeed(session, 'user', 'set', '--disable', account.userId)
    await refuse(changed, UNAUTHENTICATED, 'token', 'issue')
  })
  await step('user set --enable: the user logs in again', async () => {
    await succeed(session, 'user', 'set', '--enable', account.userId)
    await show(changed, 'token', 'issue')
  })
  await deleteAccount(session, account)
}

async function applicationCredentials(session: Session): Promise<void> {
  const { step } = session.report
  const account = await step('a project and a user for application credentials', () => createAccount(session))
  for (const role of ['creator', 'member']) await succeed(session, 'role', 'add', ...onProject(account), role)
  const owner = account.session
  const name = uniqueName('credential')
  const credential = await step('application credential create', async () => {
    const created = await show(owner, 'application', 'credential', 'create', name, '--description', 'for a test')
    expectColumns(created, { name, description: 'for a test', unrestricted: false })
    return { id: text(created, 'id'), secret: text(created, 'secret') }
  })
  await step('application credential list', async () => {
    const rows = await list(owner, 'application', 'credential', 'list')
    expectColumns(rows.find((row) => row.ID === credential.id) ?? {}, { Name: name })
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(credential.secret), 'the secret is listed')
  })
  await step('application credential show', async () => {
    const shown = await show(owner, 'application', 'credential', 'show', credential.id)
    expectColumns(shown, { id: credential.id, name, unrestricted: false })
    assert.equal(shown.secret ?? null, null, 'the secret is shown again')
  })
  const { OS_AUTH_URL = '', OS_REGION_NAME = '' } = session.environment
  const logIn = {
    ...session,
    environment: {
      OS_AUTH_URL,
      OS_REGION_NAME,
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_IDENTITY_API_VERSION: '3',
      OS_APPLICATION_CREDENTIAL_ID: credential.id,
      OS_APPLICATION_CREDENTIAL_SECRET: credential.secret,
    },
  }
  await step('token issue with an application credential', async () =>
    expectColumns(await show(logIn, 'token', 'issue'), { user_id: account.userId }),
  )
  await step('secret store and get with an application credential', async () => {
    const args = ['--payload', 'kept', '--payload-content-type', 'text/plain']
    const ref = await create(logIn, 'Secret href', 'secret', 'store', '--name', uniqueName('own'), ...args)
    expectColumns(await show(owner, 'secret', 'get', ref, '--payload'), { Payload: 'kept' })
    await succeed(logIn, 'secret', 'delete', ref)
  })
  await step('token issue with a wrong application credential secret is refused', () =>
    refuse(withPassword(logIn, { OS_APPLICATION_CREDENTIAL_SECRET: 'wrong' }), UNAUTHENTICATED, 'token', 'issue'),
  )
  await step('application credential create with a restricted application credential is refused', () =>
    refuse(logIn, FORBIDDEN, 'application', 'credential', 'create', uniqueName('refused')),
  )
  await step('application credential delete', async () => {
    await succeed(owner, 'application', 'credential', 'delete', credential.id)
    assert.deepEqual(await list(owner, 'application', 'credential', 'list'), [])
  })
  await step('token issue with a deleted application credential is refused', () =>
    refuse(logIn, /\(HTTP 40[14]\)/, 'token', 'issue'),
  )
  await deleteAccount(session, account)
}

async function catalog(session: Session): Promise<void> {
  const { step } = session.report
  await step('catalog list', async () => {
    const rows = await list(session, 'catalog', 'list')
    for (const type of ['identity', 'key-manager']) {
      const service = rows.find((row) => row.Type === type)
      assert.ok(service, `${type} is not in the catalog`)
      assert.match(JSON.stringify(service.Endpoints), /"interface": ?"public"/)
    }
  })
  await step('token issue with a wrong password is refused', () =>
    refuse(withPassword(session, { OS_PASSWORD: 'wrong' }), UNAUTHENTICATED, 'token', 'issue'),
  )
  await step('token issue of a missing user is refused', () =>
    refuse(withPassword(session, { OS_USERNAME: uniqueName('nobody') }), UNAUTHENTICATED, 'token', 'issue'),
  )
}

/** Asks for what Keystone has and the embedded identity has not; the client prints the sentence of the answer. */
async function absences(session: Session): Promise<void> {
  const { step } = session.report
  for (const [args, what] of [
    ['domain create d', 'domains beside Default'],
    ['group list', 'groups'],
    ['group create g', 'groups'],
    ['trust list', 'trusts'],
    ['credential list', 'credentials'],
    ['endpoint create key-manager public https://keys.example', 'services, endpoints and regions'],
  ] as const)
    await step(`${args} is refused with a sentence`, () =>
      refuse(session, new RegExp(`The embedded identity has no ${what}.*\\(HTTP 501\\)`), ...args.split(' ')),
    )
}

/** Administers an identity through the stock client. The session must be one of its administrator. */
export async function identityAdministration(session: Session): Promise<void> {
  const { report } = session
  const renamed = (kind: string): readonly [readonly string[], Row] => {
    const name = uniqueName(`renamed-${kind}`)
    return [['--name', name], { name }]
  }
  await report.scenario('catalog and log-in', () => catalog(session))
  await report.scenario('projects', () =>
    life(
      session,
      'project',
      ['--description', 'for a test'],
      [
        renamed('project'),
        [['--description', 'changed'], { description: 'changed' }],
        [['--disable'], { enabled: false }],
        [['--enable'], { enabled: true }],
      ],
    ),
  )
  await report.scenario('users', () =>
    life(
      session,
      'user',
      ['--password', uniqueName('password')],
      [
        renamed('user'),
        [['--email', 'user@example.test'], { email: 'user@example.test' }],
        [['--disable'], { enabled: false }],
        [['--enable'], { enabled: true }],
      ],
    ),
  )
  await report.scenario('roles', () => life(session, 'role', [], [renamed('role')]))
  await report.scenario('role assignments', () => assignments(session))
  await report.scenario('passwords', () => passwords(session))
  await report.scenario('application credentials', () => applicationCredentials(session))
  await report.scenario('what the embedded identity has not', () => absences(session))
}
