/** Hrefs: one place that builds them, in the form in which the resource was asked for. */

export interface Refs {
  /** The href of a resource: `to('secrets', id, 'acl')`. */
  readonly to: (...segments: readonly string[]) => string
}

/** Refs below `<base>/v1`; `tenant` is the project in the request's path, if it named one. */
export function refsBelow(base: string, tenant: string | undefined): Refs {
  const root = tenant === undefined ? `${base}/v1` : `${base}/v1/${encodeURIComponent(tenant)}`
  return { to: (...segments) => [root, ...segments].join('/') }
}

/** The id that a ref ends in. */
export function idOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

/** The longest id of a project, and of whatever else a path may name. */
export const MOST_ID_CHARACTERS = 255

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether `id` is a UUID of version 4 in canonical form, as every id that the service makes. */
export function isCanonicalId(id: string): boolean {
  return VERSION_4.test(id)
}
