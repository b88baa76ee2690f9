/** The resources `/quotas`, `/project-quotas` and `/project-quotas/{project}`. */
import * as z from 'zod/mini'
import { fault } from '../faults.ts'
import {
  deleteProjectQuotas,
  effectiveQuotas,
  findProjectQuotas,
  listProjectQuotas,
  setProjectQuotas,
} from '../state/projects/quotas.ts'
import { pageEnd } from './http/answers.ts'
import { deferred } from './http/body.ts'
import { pageQuery } from './http/paging.ts'
import { NO_CONTENT } from './http/replies.ts'
import { isProjectId } from './http/refs.ts'
import { operation, resource } from './http/resource.ts'
import { closedObject, integer } from './http/schema.ts'

const NAME = 'Project Quotas'
/** Barbican's columns are signed 32-bit integers. */
const limit = () => z.optional(integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))

const quotasBody = {
  name: 'Project Quota',
  type: z.lazy(() =>
    closedObject({
      project_quotas: closedObject({
        secrets: limit(),
        orders: limit(),
        containers: limit(),
        consumers: limit(),
        cas: limit(),
      }),
    }),
  ),
}

const quotasReader = deferred(quotasBody, 'noData')

const own = resource({
  path: '/quotas',
  operations: {
    GET: operation({
      name: 'Quotas',
      rule: 'quotas:get',
      answers: { 200: 'Quotas' },
      faults: [],
      async answer({ backend, caller }) {
        return { status: 200, json: { quotas: await effectiveQuotas(backend, caller.projectId) } }
      },
    }),
  },
})

const collection = resource({
  path: '/project-quotas',
  operations: {
    GET: operation({
      name: NAME,
      rule: 'project_quotas:get',
      query: pageQuery,
      answers: { 200: 'ProjectsWithQuotas' },
      faults: [],
      async answer({ backend, search, query, refs }) {
        const { items, total } = await listProjectQuotas(backend, query)
        const quotas = items.map(({ projectId, limits }) => ({ project_id: projectId, project_quotas: limits }))
        const read = { href: refs.to('project-quotas'), search, page: query, count: quotas.length, total }
        return { status: 200, json: { project_quotas: quotas, ...pageEnd({ ...read, previousFromEmptyPage: true }) } }
      },
    }),
  },
})

const item = resource({
  path: '/project-quotas/:project',
  operations: {
    GET: operation({
      name: NAME,
      rule: 'project_quotas:get',
      answers: { 200: 'ProjectQuotas' },
      faults: ['projectQuotasNotFound'],
      async answer({ backend, param }) {
        return { status: 200, json: { project_quotas: await findProjectQuotas(backend, param('project')) } }
      },
    }),
    PUT: operation({
      name: NAME,
      rule: 'project_quotas:put',
      body: quotasReader,
      answers: { 204: null },
      faults: ['noData', 'projectQuotasNotFound'],
      async answer({ backend, param }, _target, read) {
        const project = param('project')
        const { project_quotas: limits } = await read()
        if (!isProjectId(project)) throw fault('projectQuotasNotFound')
        await setProjectQuotas(backend, project, limits)
        return NO_CONTENT
      },
    }),
    DELETE: operation({
      name: NAME,
      rule: 'project_quotas:delete',
      answers: { 204: null },
      faults: ['projectQuotasNotFound'],
      async answer({ backend, param }) {
        await deleteProjectQuotas(backend, param('project'))
        return NO_CONTENT
      },
    }),
  },
})

export const quotaResources = [own, collection, item]
