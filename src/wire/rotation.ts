/** The resource `/admin/rotate`: reports what depends on which key, and rotates keys. Only the operator may use it. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import type { Backend } from '../state/backend.ts'
import { keyUse, type MasterKeyUse } from '../state/keys/key-use.ts'
import { resealValues, supersedeKeys, type KeysToSupersede } from '../state/keys/project-key-versions.ts'
import { rotateMasterKeys } from '../state/keys/rotation.ts'
import { parseTime } from '../times.ts'
import { json as answer } from './http/answers.ts'
import { json } from './http/body.ts'
import type { Service } from './http/context.ts'
import { MAX_ID_CHARACTERS } from './http/refs.ts'
import { operation, resource } from './http/resource.ts'
import { closedObject, schemaFault, text } from './http/schema.ts'

const schema = {
  name: 'Key rotation',
  type: z.lazy(() =>
    closedObject({
      /** The project keys to supersede: those created before a time (default: now), of one project or of all. */
      project_keys: z.optional(
        closedObject({
          project_id: z.optional(text({ min: 1, max: MAX_ID_CHARACTERS })),
          created_before: z.optional(text()),
        }),
      ),
    }),
  ),
}

type Body = z.infer<typeof schema.type>

/** Reads the optional body. Without one, a rotation rewraps project keys and continues unfinished work. */
async function optionalBody(c: Context<Service>): Promise<Body> {
  return c.req.header('Content-Type') === undefined ? {} : json(schema)(c)
}

function keysToSupersede(backend: Backend, requested: NonNullable<Body['project_keys']>): KeysToSupersede {
  const { project_id: projectId, created_before: before } = requested
  const createdBefore = before === undefined ? backend.now : parseTime(before)
  if (createdBefore === null) throw schemaFault(schema.name, `'${before}' is not a time`, 'project_keys')
  return { createdBefore, projectId }
}

function view({ id, primary, projectKeys }: MasterKeyUse) {
  return { id, primary, project_keys: projectKeys, removable: !primary && projectKeys === 0 }
}

async function report(backend: Backend) {
  const { masterKeys, projectKeys } = await keyUse(backend)
  return { master_keys: masterKeys.map(view), project_keys: projectKeys }
}

export const rotationResource = resource({
  path: '/rotate',
  // Operators remove master keys according to this report, so it must not come from a stale replica.
  reads: 'primary',
  operations: {
    GET: operation({
      name: 'Key rotation report',
      rule: 'key_rotation:get',
      async answer({ c, backend }) {
        return answer(c, 200, await report(backend))
      },
    }),
    POST: operation({
      name: 'Key rotation',
      rule: 'key_rotation:post',
      body: optionalBody,
      async answer({ c, backend }, _target, { project_keys: requested }) {
        const keys = requested && keysToSupersede(backend, requested)
        const rewrapped = await rotateMasterKeys(backend)
        const superseded = keys ? await supersedeKeys(backend, keys) : 0
        const done = { rewrapped, superseded, ...(await resealValues(backend)) }
        return answer(c, 200, { ...done, ...(await report(backend)) })
      },
    }),
  },
})
