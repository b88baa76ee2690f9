/** The resource `/admin/rotate`: reports what depends on which key, and rotates keys. Only the operator may use it. */
import * as z from 'zod/mini'
import type { Backend } from '../state/backend.ts'
import { keyUse, type MasterKeyUse } from '../state/keys/key-use.ts'
import { resealValues, supersedeKeys, type KeysToSupersede } from '../state/keys/project-key-versions.ts'
import { rotateMasterKeys } from '../state/keys/rotation.ts'
import { parseTime } from '../times.ts'
import type { Shapes } from '../shapes/index.ts'
import { optionalJson } from './http/body.ts'
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

/** Without a body, a rotation rewraps project keys and continues unfinished work. */
const reader = optionalJson(schema)

function keysToSupersede(backend: Backend, requested: NonNullable<Body['project_keys']>): KeysToSupersede {
  const { project_id: projectId, created_before: before } = requested
  const createdBefore = before === undefined ? backend.now : parseTime(before)
  if (createdBefore === null) throw schemaFault(schema.name, `'${before}' is not a time`, 'project_keys')
  return { createdBefore, projectId }
}

function view({ id, primary, projectKeys }: MasterKeyUse) {
  return { id, primary, project_keys: projectKeys, removable: !primary && projectKeys === 0 }
}

async function report(backend: Backend): Promise<Shapes['KeyReport']> {
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
      answers: { 200: 'KeyReport' },
      faults: [],
      async answer({ backend }) {
        return { status: 200, json: await report(backend) }
      },
    }),
    POST: operation({
      name: 'Key rotation',
      rule: 'key_rotation:post',
      body: reader,
      answers: { 200: 'KeyRotation' },
      faults: [],
      async answer({ backend }, _target, { project_keys: requested }) {
        const keys = requested && keysToSupersede(backend, requested)
        const rewrapped = await rotateMasterKeys(backend)
        const superseded = keys ? await supersedeKeys(backend, keys) : 0
        const done = { rewrapped, superseded, ...(await resealValues(backend)) }
        return { status: 200, json: { ...done, ...(await report(backend)) } }
      },
    }),
  },
})
