/** Writes the contract to `openapi.json`, and its types to `../client/api.ts`: `npm run contract`. */
import { writeFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'

/** What is imported by name of the runtime of the Worker. */
const RUNTIME = 'export class DurableObject {}; export class WorkerEntrypoint {}; export const waitUntil = null'

// The tables import code that imports the runtime of the Worker, of which nothing is used here.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'cloudflare:workers'
      ? { url: `data:text/javascript,${RUNTIME}`, shortCircuit: true }
      : next(specifier, context),
})

const { openApi } = await import('./openapi.ts')
const { typesOf } = await import('./types.ts')
const file = join(import.meta.dirname, 'openapi.json')
const options = await resolveConfig(file)
await writeFile(file, await format(JSON.stringify(openApi()), { ...options, parser: 'json' }))
await writeFile(join(import.meta.dirname, '../client/api.ts'), typesOf(openApi()))
