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
import { json as answer, noContent, page } from './http/answers.ts'
import { unchecked } from './http/body.ts'
import { parsePage } from './http/paging.ts'
import { isProjectId } from './http/refs.ts'
import { operation, resource } from './http/resource.ts'
import { checked, closedObject, integer } from './http/schema.ts'

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

const own = resource({
  path: '/quotas',
  operations: {
    GET: operation({
      name: 'Quotas',
      rule: 'quotas:get',
      async answer({ c, backend, caller }) {
        return answer(c, 200, { quotas: await effectiveQuotas(backend, caller.projectId) })
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
      async answer({ c, backend, query, refs }) {
        const requested = parsePage(query)
        const { items, total } = await listProjectQuotas(backend, requested)
        const views = items.map(({ projectId, limits }) => ({ project_id: projectId, project_quotas: limits }))
        const href = refs.to('project-quotas')
        return page(c, 'project_quotas', views, { href, query, page: requested, total, previousFromEmptyPage: true })
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
      async answer({ c, backend, param }) {
        return answer(c, 200, { project_quotas: await findProjectQuotas(backend, param('project')) })
      },
    }),
    PUT: operation({
      name: NAME,
      rule: 'project_quotas:put',
      body: unchecked('noData'),
      async answer({ c, backend, param }, _target, document) {
        const project = param('project')
        const { project_quotas: limits } = checked(quotasBody, await document())
        if (!isProjectId(project)) throw fault('projectQuotasNotFound')
        await setProjectQuotas(backend, project, limits)
        return noContent(c)
      },
    }),
    DELETE: operation({
      name: NAME,
      rule: 'project_quotas:delete',
      async answer({ c, backend, param }) {
        await deleteProjectQuotas(backend, param('project'))
        return noContent(c)
      },
    }),
  },
})

export const quotaResources = [own, collection, item]
