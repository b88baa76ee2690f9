/** Where the Durable Objects of projects are made: the one place that turns a project's id into its object. */
import type { ProjectCalls, ProjectObjects } from './project-calls.ts'

/** Regions near which the platform can make an object; it uses the hint of the first call of an object and no later one. */
export const OBJECT_LOCATIONS = [
  'wnam',
  'enam',
  'sam',
  'weur',
  'eeur',
  'apac',
  'apac-ne',
  'apac-se',
  'oc',
  'afr',
  'me',
] as const

/** Jurisdictions that the platform can keep an object within. It is a part of the object's id. */
export const JURISDICTIONS = ['eu', 'fedramp', 'fedramp-high', 'us'] as const

export interface Places {
  /** Empty: near the request that is the first of its project. */
  readonly location: (typeof OBJECT_LOCATIONS)[number] | ''
  /** Empty: anywhere. */
  readonly jurisdiction: (typeof JURISDICTIONS)[number] | ''
}

/** The part of the binding of the objects' class that is used. */
export interface ProjectNamespace {
  readonly getByName: (name: string, options?: { locationHint: (typeof OBJECT_LOCATIONS)[number] }) => ProjectCalls
  readonly idFromName: ProjectObjects['idFromName']
  readonly jurisdiction: (jurisdiction: (typeof JURISDICTIONS)[number]) => ProjectNamespace
}

/** Returns the objects at their places. Throws where the runtime has no such jurisdiction: workerd alone has none. */
export function placedObjects(namespace: ProjectNamespace, { location, jurisdiction }: Places): ProjectObjects {
  const within = jurisdiction === '' ? namespace : namespace.jurisdiction(jurisdiction)
  if (location === '') return within
  return {
    getByName: (projectId) => within.getByName(projectId, { locationHint: location }),
    idFromName: (name) => within.idFromName(name),
  }
}
