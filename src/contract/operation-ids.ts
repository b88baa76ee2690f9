/** The ids of operations, from which programs that read the contract make names of functions. */

const capitalised = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1)
const pascal = (segment: string) => segment.split(/[-_]/).map(capitalised).join('')

/**
 * The id of an operation, from its method and path: `GET /v1/secrets/{secret}/versions` is `getSecretVersions`. A
 * parameter makes the word before it singular, or is added to it.
 */
export function operationIdOf(method: string, path: string): string {
  const words: string[] = []
  for (const segment of path.replace(/^\/v1/, '').split('/').filter(Boolean)) {
    const [, parameter] = /^\{(\w+)\}$/.exec(segment) ?? []
    const before = words.at(-1) ?? ''
    if (parameter === undefined) words.push(pascal(segment))
    else if (before.endsWith(`${pascal(parameter)}s`)) words.splice(-1, 1, before.slice(0, -1))
    else words.push(pascal(parameter))
  }
  return method.toLowerCase() + words.join('')
}
