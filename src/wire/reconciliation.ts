/**
 * The resource `/admin/reconcile`: after a restore, reports how the database differs from what the objects of its projects
 * have stored about it, and has them adopt it. Only the operator may use it.
 */
import * as z from 'zod/mini'
import { DEPLOYMENT } from '../state/audit/events.ts'
import type { ProjectReport, RowCounts } from '../state/project-calls.ts'
import {
  adoptDifferences,
  reportDifferences,
  type Asked,
  type DeploymentReport,
  type NamedReport,
} from '../state/reconciliation.ts'
import type { Shapes } from '../shapes/index.ts'
import { optionalJson } from './http/body.ts'
import { isProjectId, MAX_ID_CHARACTERS } from './http/refs.ts'
import { operation, resource } from './http/resource.ts'
import { closedObject, schemaFault, text } from './http/schema.ts'
import { incidentView } from './incidents.ts'

const MAX_CONFIRM_CHARACTERS = 64

const schema = {
  name: 'Reconciliation',
  type: z.lazy(() =>
    closedObject({
      /** One project, instead of a page of all. */
      project_id: z.optional(text({ min: 1, max: MAX_ID_CHARACTERS })),
      /** The project before the page. */
      marker: z.optional(text({ min: 1, max: MAX_ID_CHARACTERS })),
      /** The value of a report, to adopt what it says. */
      confirm: z.optional(text({ min: 1, max: MAX_CONFIRM_CHARACTERS })),
    }),
  ),
}

const reader = optionalJson(schema)

const rowsView = ({ changed, gone, unknown }: RowCounts, first: ProjectReport['first']) => ({
  changed,
  gone,
  unknown,
  first,
})

const projectView = ({ projectId, complete, incidents, rows, first }: NamedReport) => ({
  project_id: projectId,
  complete,
  incidents: incidents.map(incidentView),
  rows: rowsView(rows, first),
})

const view = ({ projects, complete, confirm, next }: DeploymentReport, adopted: boolean): Shapes['Reconciliation'] => ({
  adopted,
  complete,
  projects: projects.map(projectView),
  ...(!adopted && complete && confirm !== null && { confirm }),
  ...(next !== null && { marker: next }),
})

export const reconciliationResource = resource({
  path: '/reconcile',
  operations: {
    POST: operation({
      name: 'Reconciliation',
      rule: 'reconciliation:post',
      evenReadOnly: true,
      body: reader,
      answers: { 200: 'Reconciliation' },
      faults: ['reconciliationChanged'],
      async answer({ backend }, _target, { project_id: projectId, marker = '', confirm }) {
        if (projectId !== undefined && projectId !== DEPLOYMENT && !isProjectId(projectId))
          throw schemaFault(schema.name, `'${projectId}' is not the id of a project`, 'project_id')
        const asked: Asked = { projectId, marker }
        if (confirm === undefined) return { status: 200, json: view(await reportDifferences(backend, asked), false) }
        return { status: 200, json: view(await adoptDifferences(backend, asked, confirm), true) }
      },
    }),
  },
})
