/** The resource `/admin/read-only`: makes the service read-only, or writable again. Only the operator may use it. */
import * as z from 'zod/mini'
import type { Backend } from '../state/backend.ts'
import { READ_ONLY_SECONDS, readOnlyState, setReadOnly } from '../state/read-only.ts'
import type { Shapes } from '../shapes/index.ts'
import { json } from './http/body.ts'
import { operation, resource } from './http/resource.ts'
import { closedObject, text } from './http/schema.ts'

const MAX_REASON_CHARACTERS = 255
const DEFAULT_REASON = 'the operator works on it'

const reader = json({
  name: 'Read-only operation',
  type: z.lazy(() =>
    closedObject({
      read_only: z.boolean(),
      /** What clients are told. */
      reason: z.optional(text({ min: 1, max: MAX_REASON_CHARACTERS })),
    }),
  ),
})

async function view(backend: Backend): Promise<Shapes['ReadOnly']> {
  const { state, variable } = await readOnlyState(backend)
  return {
    read_only: variable || state !== null,
    reason: state?.reason ?? null,
    since: state?.since ?? null,
    variable,
    known_everywhere_after_seconds: READ_ONLY_SECONDS,
  }
}

export const readOnlyResource = resource({
  path: '/read-only',
  operations: {
    GET: operation({
      name: 'Read-only report',
      rule: 'read_only:get',
      answers: { 200: 'ReadOnly' },
      faults: [],
      answer: async ({ backend }) => ({ status: 200, json: await view(backend) }),
    }),
    PUT: operation({
      name: 'Read-only operation',
      rule: 'read_only:put',
      evenReadOnly: true,
      body: reader,
      answers: { 200: 'ReadOnly' },
      faults: [],
      async answer({ backend }, _target, { read_only: isReadOnly, reason = DEFAULT_REASON }) {
        await setReadOnly(backend, isReadOnly ? reason : null)
        return { status: 200, json: await view(backend) }
      },
    }),
  },
})
