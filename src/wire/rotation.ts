/** `/admin/rotate`: what the keys are depended on for, and their rotation. For the operator alone. */
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
import { MOST_ID_CHARACTERS } from './http/refs.ts'
import { operation, resource } from './http/resource.ts'
import { closedObject, schemaFault, text } from './http/schema.ts'

const schema = {
  name: 'Key rotation',
  type: closedObject({
    /** Which project keys are to get a new version: those made before a time (now), of one project or of all. */
    project_keys: z.optional(
      closedObject({
        project_id: z.optional(text({ least: 1, most: MOST_ID_CHARACTERS })),
        created_before: z.optional(text()),
      }),
    ),
  }),
}

type Body = z.infer<typeof schema.type>

/** A rotation without a body is that of the master keys, and goes on with what was begun. */
async function optionalBody(c: Context<Service>): Promise<Body> {
  return c.req.header('Content-Type') === undefined ? {} : json(schema)(c)
}

function keysToSupersede(backend: Backend, asked: NonNullable<Body['project_keys']>): KeysToSupersede {
  const { project_id: projectId, created_before: before } = asked
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
  // A key is taken out on the word of this report.
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
      async answer({ c, backend }, _target, { project_keys: asked }) {
        const which = asked && keysToSupersede(backend, asked)
        const rewrapped = await rotateMasterKeys(backend)
        const superseded = which ? await supersedeKeys(backend, which) : 0
        const done = { rewrapped, superseded, ...(await resealValues(backend)) }
        return answer(c, 200, { ...done, ...(await report(backend)) })
      },
    }),
  },
})
