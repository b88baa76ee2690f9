/** Builds the hrefs of resources, with or without the project in the path, as in the path of the request. */

export interface Refs {
  /** Returns the href of a resource: `to('secrets', id, 'acl')`. */
  readonly to: (...segments: readonly string[]) => string
}

/** Returns a builder of refs below `<base>/v1`. `tenant` is the project in the path of the request, if there is one. */
export function refsBelow(base: string, tenant: string | undefined): Refs {
  const root = tenant === undefined ? `${base}/v1` : `${base}/v1/${encodeURIComponent(tenant)}`
  return { to: (...segments) => [root, ...segments].join('/') }
}

/** Returns the last path segment of a ref, which is the id. */
export function idOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

/** Maximum length of the id of a project, and of every other id in a path. */
export const MAX_ID_CHARACTERS = 255

/** Keystone generates 32 hexadecimal digits; its column holds 64 characters. */
const PROJECT_ID = /^[A-Za-z0-9_-]{1,64}$/

/** Reports whether a project can have this id. Nothing is stored for other ids. */
export const isProjectId = (id: string): boolean => PROJECT_ID.test(id)

/** 32 hexadecimal digits, or a UUID. */
const GENERATED_ID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Reports whether an id has a form that this service or Keystone generates, so that it is not free text. */
export const isGeneratedId = (id: string): boolean => GENERATED_ID.test(id)

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Reports whether `id` is a version 4 UUID in canonical form, as all ids that the service generates are. */
export function isCanonicalId(id: string): boolean {
  return VERSION_4.test(id)
}
