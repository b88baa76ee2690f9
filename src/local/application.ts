/**
 * An application's Worker beside the service, for `npm start -- --app`: built from its own wrangler configuration, with
 * its service binding connected to this service and to a credential of the demo user.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import { StartError } from './options.ts'
import { HOST, wrangler } from './runtime.ts'

/** The name of the service in service bindings, as in `wrangler.toml`. */
const SERVICE = 'portcullis'
const ENTRYPOINT = 'KeyManager'

export interface Application {
  readonly name: string
  readonly options: V4WorkerOptions
}

type Bindings = NonNullable<V4WorkerOptions['serviceBindings']>

interface EntrypointBinding {
  name: string
  entrypoint: string
  props?: Record<string, unknown>
}

const isToEntrypoint = (binding: Bindings[string]): binding is EntrypointBinding =>
  typeof binding === 'object' && 'name' in binding && binding.name === SERVICE && binding.entrypoint === ENTRYPOINT

/** The service bindings, of which those to the entrypoint get the credential; their other props stay as they are. */
function connected(bindings: Bindings, credential: string): Bindings {
  return Object.fromEntries(
    Object.entries(bindings).map(([name, binding]) => [
      name,
      isToEntrypoint(binding) ? { ...binding, props: { ...binding.props, credential } } : binding,
    ]),
  )
}

/** How the files beside a bundle are imported, by their extensions; wrangler's defaults. */
const moduleTypes: Readonly<Record<string, 'CompiledWasm' | 'Data' | 'Text'>> = {
  '.wasm': 'CompiledWasm',
  '.bin': 'Data',
  '.txt': 'Text',
  '.html': 'Text',
  '.sql': 'Text',
}

/** The modules of a bundle, of which the entry is the first. */
function modulesIn(bundle: string, entry: string) {
  const others = readdirSync(bundle).flatMap((path) => {
    const type = moduleTypes[extname(path)]
    return type === undefined ? [] : [{ type, path, contents: readFileSync(join(bundle, path)) }]
  })
  return [{ type: 'ESModule' as const, path: entry, contents: readFileSync(join(bundle, entry), 'utf8') }, ...others]
}

/**
 * Builds the application and returns Miniflare's options for it, listening on the port. `credential` replaces that of its
 * binding, whose id belongs to another deployment. Throws {@link StartError} if it cannot be built, or has no binding to
 * the entrypoint.
 */
export async function buildApplication(
  config: string,
  state: string,
  { port, credential }: { readonly port: number; readonly credential: string },
): Promise<Application> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler')
  const { name, main } = unstable_readConfig({ config })
  if (!name || !main) throw new StartError(`--app ${config}: name or main is missing`)
  // The rules say how wrangler finds modules; the bundle has what it found.
  const { modulesRules: _, ...workerOptions } = unstable_getMiniflareWorkerOptions(config).workerOptions
  const bindings = (workerOptions.serviceBindings ?? {}) as Bindings
  if (!Object.values(bindings).some(isToEntrypoint)) {
    throw new StartError(`--app ${config}: no service binding to the entrypoint ${ENTRYPOINT} of ${SERVICE}`)
  }
  const bundle = resolve(state, 'application')
  rmSync(bundle, { recursive: true, force: true })
  await wrangler('deploy', '--dry-run', '--config', config, '--outdir', bundle)
  const options = {
    ...workerOptions,
    name,
    modules: modulesIn(bundle, `${basename(main, extname(main))}.js`),
    serviceBindings: connected(bindings, credential),
    unsafeDirectSockets: [{ host: HOST, port }],
  }
  return { name, options: options as V4WorkerOptions }
}

/** The name of the credential that is made for applications. */
const CREDENTIAL = 'npm start -- --app'

/**
 * Returns the id of the demo user's credential for service bindings, and makes it if there is none. It may read what its
 * user created or is not private. Throws {@link StartError} if it cannot be made.
 */
export async function edgeCredentialOf(url: string, token: string): Promise<string> {
  const identity = `${url}/identity/v3`
  const send = async (path: string, headers: Record<string, string>, body?: object) => {
    const answer = await fetch(`${identity}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'X-Auth-Token': token, 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new StartError(`--app: the demo user's credential cannot be made (${answer.status})`)
    return (await answer.json()) as Answer
  }
  const { token: own } = await send('/auth/tokens', { 'X-Subject-Token': token })
  const path = `/users/${own?.user.id}/application_credentials`
  const { application_credentials: found } = await send(`${path}?name=${encodeURIComponent(CREDENTIAL)}`, {})
  const [existing] = found ?? []
  if (existing) return existing.id
  const roles = [{ name: 'member' }, { name: 'creator' }]
  const made = { name: CREDENTIAL, description: 'edge: applications on this machine', roles }
  const { application_credential: credential } = await send(path, {}, { application_credential: made })
  if (!credential) throw new StartError("--app: the demo user's credential was not returned")
  return credential.id
}

interface Answer {
  readonly token?: { readonly user: { readonly id: string } }
  readonly application_credentials?: readonly { readonly id: string }[]
  readonly application_credential?: { readonly id: string }
}
