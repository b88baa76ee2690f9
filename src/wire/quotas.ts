/** Quotas on the wire: `/quotas`, `/project-quotas` and `/project-quotas/{project}`. */
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
import { MOST_ID_CHARACTERS } from './http/refs.ts'
import { operation, resource } from './http/resource.ts'
import { checked, closedObject, integer } from './http/schema.ts'

const NAME = 'Project Quotas'
/** The peer's columns are signed 32-bit integers. */
const limit = () => z.optional(integer({ least: -(2 ** 31), most: 2 ** 31 - 1 }))

const quotasBody = {
  name: 'Project Quota',
  type: closedObject({
    project_quotas: closedObject({
      secrets: limit(),
      orders: limit(),
      containers: limit(),
      consumers: limit(),
      cas: limit(),
    }),
  }),
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
        const asked = parsePage(query)
        const { items, total } = await listProjectQuotas(backend, asked)
        const views = items.map(({ projectId, limits }) => ({ project_id: projectId, project_quotas: limits }))
        const href = refs.to('project-quotas')
        return page(c, 'project_quotas', views, { href, query, page: asked, total, previousFromEmptyPage: true })
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
        const { project_quotas: given } = checked(quotasBody, await document())
        if (project.length > MOST_ID_CHARACTERS) throw fault('projectQuotasNotFound')
        await setProjectQuotas(backend, project, given)
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
