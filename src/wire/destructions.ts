/**
 * The resource `/admin/projects/{id}/destruction`: destroys a project's keys, and with them everything that they
 * encrypt. Only the operator may use it.
 */
import * as z from 'zod/mini'
import { fault } from '../faults.ts'
import {
  cancelDestruction,
  destroyDue,
  findDestruction,
  scheduleDestruction,
  type ProjectDestruction,
} from '../state/projects/destructions.ts'
import { later } from '../times.ts'
import type { Shapes } from '../shapes/index.ts'
import { json } from './http/body.ts'
import { isProjectId } from './http/refs.ts'
import { NO_CONTENT } from './http/replies.ts'
import { operation, resource } from './http/resource.ts'
import { closedObject, integer, text } from './http/schema.ts'

const HOUR_SECONDS = 3_600
const MAX_DELAY_HOURS = 24 * 365

const reader = json({
  name: 'Key destruction',
  type: z.lazy(() =>
    closedObject({
      /** Must repeat the id of the project, as a safeguard against accidental destruction. */
      confirm: text({ min: 1 }),
      delay_hours: z.optional(integer({ min: 0, max: MAX_DELAY_HOURS })),
    }),
  ),
})

const view = ({ projectId, due, finished }: ProjectDestruction): Shapes['Destruction'] => ({
  project_id: projectId,
  due,
  finished,
})

export const destructionResource = resource({
  path: '/projects/:project/destruction',
  auditTarget: 'project/destruction',
  // Operators rely on this report for what is destroyed, so it must not come from a stale replica.
  reads: 'primary',
  operations: {
    GET: operation({
      name: 'Key destruction report',
      rule: 'project_destruction:get',
      answers: { 200: 'Destruction' },
      faults: ['destructionNotFound'],
      async answer({ backend, param }) {
        return { status: 200, json: view(await findDestruction(backend, param('project'))) }
      },
    }),
    PUT: operation({
      name: 'Key destruction',
      rule: 'project_destruction:put',
      body: reader,
      answers: { 202: 'Destruction' },
      faults: ['destructionUnconfirmed', 'destructionBegun'],
      async answer({ backend, param }, _target, { confirm, delay_hours: delay = 0 }) {
        const project = param('project')
        if (confirm !== project || !isProjectId(project)) throw fault('destructionUnconfirmed')
        await scheduleDestruction(backend, project, later(backend.now, delay * HOUR_SECONDS))
        await destroyDue(backend)
        return { status: 202, json: view(await findDestruction(backend, project)) }
      },
    }),
    DELETE: operation({
      name: 'Key destruction cancellation',
      rule: 'project_destruction:delete',
      answers: { 204: null },
      faults: ['destructionNotFound', 'destructionBegun'],
      async answer({ backend, param }) {
        await cancelDestruction(backend, param('project'))
        return NO_CONTENT
      },
    }),
  },
})
