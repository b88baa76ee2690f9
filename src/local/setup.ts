/**
 * `npm run setup`: makes the master key and the administrator's password of a deployment, keeps them in a file, and
 * uploads them. With `--rotate` it adds a new master key.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { runCommand } from './command.ts'
import { addPrimary, makeKeys, masterKeyIds, readKeys, type DeploymentKeys } from './deployment-keys.ts'
import { parseCommandLine, StartError } from './options.ts'
import { ROOT } from './runtime.ts'
import { putSecrets, secretNames } from './worker-secrets.ts'

const KEYS_FILE = '.portcullis-keys'

const USAGE = `
npm run setup [-- options]: makes the keys of a deployment and uploads them as secrets of the Worker

  --rotate      puts a new master key before those of the file, and uploads them
  --upload      uploads the file as it is: after an upload that failed, or when a key was removed from it
  --local       makes or changes the file alone; no account is needed
  --dry-run     says what would be done
  --env NAME    the environment of wrangler.toml; its keys are in ${KEYS_FILE}.NAME
  --file FILE   another file than ${KEYS_FILE}
  --help        this text
`

interface SetupOptions {
  readonly action: 'make' | 'rotate' | 'upload'
  readonly local: boolean
  readonly dryRun: boolean
  /** The arguments for wrangler that name the environment. */
  readonly environment: readonly string[]
  readonly file: string
  /** The options that a further call of this command needs to mean the same deployment. */
  readonly same: string
}

function readOptions(args: readonly string[]): SetupOptions {
  const values = parseCommandLine(args, {
    rotate: { type: 'boolean' },
    upload: { type: 'boolean' },
    local: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    env: { type: 'string' },
    file: { type: 'string' },
  })
  const { rotate = false, upload = false, local = false, env, file } = values
  if (upload && (rotate || local)) throw new StartError('--upload goes with neither --rotate nor --local')
  const byDefault = resolve(ROOT, env === undefined ? KEYS_FILE : `${KEYS_FILE}.${env}`)
  const same = [...(env === undefined ? [] : ['--env', env]), ...(file === undefined ? [] : ['--file', file])]
  return {
    action: rotate ? 'rotate' : upload ? 'upload' : 'make',
    local,
    dryRun: values['dry-run'] ?? false,
    environment: env === undefined ? [] : ['--env', env],
    file: file === undefined ? byDefault : resolve(file),
    same: same.map((word) => ` ${word}`).join(''),
  }
}

/** Throws {@link StartError} unless the action may begin. Asks Cloudflare unless everything is local. */
async function requirePossible({ action, file, local, environment, same }: SetupOptions): Promise<void> {
  if (action === 'make' && existsSync(file)) {
    throw new StartError(
      `${file} exists and is not overwritten: npm run setup -- --upload${same} uploads it, --rotate adds a key`,
    )
  }
  if (action !== 'make') await readKeys(file)
  if (local) return
  const names = await secretNames(environment)
  if (action === 'make' && names.includes('MASTER_KEYS')) {
    throw new StartError(
      `the Worker has MASTER_KEYS already: with others, what it has stored could not be read. Bring ${file} back from your copy`,
    )
  }
}

const today = () => new Date().toISOString().slice(0, 10)

function changeFile({ action, file }: SetupOptions): DeploymentKeys | Promise<DeploymentKeys> {
  switch (action) {
    case 'make':
      return makeKeys(file, today())
    case 'rotate':
      return addPrimary(file, today())
    case 'upload':
      return readKeys(file)
  }
}

const whatWasDone = {
  make: 'A master key and the first password of admin are in',
  rotate: 'A new master key is before the others in',
  upload: 'The keys are those of',
} as const

/** The next step of a rotation is the service's, that of a new deployment is to deploy it. */
const nextStep = (keys: DeploymentKeys, same: string) =>
  masterKeyIds(keys).length > 1
    ? `Next: the sweep rewraps all project keys under ${masterKeyIds(keys)[0]}. POST /admin/rotate does some at once and reports;
when it says "removable": true for the old key, delete that key from the file and run npm run setup -- --upload${same}`
    : `Next: npm run deploy${same}`

async function setUp(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  const { file, local, dryRun, environment, same } = options
  await requirePossible({ ...options, local: local || dryRun })
  if (dryRun) {
    const then = local ? '' : ', and upload MASTER_KEYS and ADMIN_PASSWORD as secrets of the Worker'
    console.log(`This would ${options.action} the keys in ${file}${then}. Nothing was done.`)
    return
  }
  const keys = await changeFile(options)
  console.log(`${whatWasDone[options.action]} ${file}, which only you can read and git ignores.`)
  if (options.action !== 'upload')
    console.log(
      'Copy it to a password manager NOW: Cloudflare never shows a secret again, and without MASTER_KEYS all is lost.',
    )
  const again = `npm run setup -- --upload${same}`
  if (local) {
    console.log(`Nothing was uploaded. When wrangler has an account: ${again}`)
    return
  }
  const { ADMIN_PASSWORD, MASTER_KEYS } = keys
  const uploaded = await putSecrets({ MASTER_KEYS, ...(ADMIN_PASSWORD !== '' && { ADMIN_PASSWORD }) }, environment)
  if (!uploaded) throw new StartError(`the upload failed; the keys are safe in ${file}. Try again: ${again}`)
  console.log(nextStep(keys, same))
}

await runCommand(USAGE, setUp)
