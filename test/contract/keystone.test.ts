/**
 * The embedded identity is held against the OpenAPI document of Keystone, of which `keystone.json` has the facts: what
 * differs is in `keystone-differences.ts` with its reason, and no path of Keystone is one that nobody has heard of.
 */
import { describe, expect, it } from 'vitest'
import { identity } from '../support/identity.ts'
import { differencesOf } from './keystone-comparison.ts'
import { accepted, isAbout } from './keystone-differences.ts'
import { factsOfContract, factsOfKeystone, ofContract, ofKeystone, pathsOfKeystone } from './keystone-facts.ts'

const served = [...ofContract.keys()]

/** The differences of an operation; none if one of the documents does not have it. */
function differencesAt(name: string): string[] {
  const [theirs, ours] = [ofKeystone.get(name), ofContract.get(name)]
  return theirs && ours ? differencesOf(factsOfKeystone(theirs), factsOfContract(ours)) : []
}

/** The lines of the table that are about an operation. */
const linesOf = (name: string) => accepted.filter(({ of }) => of.includes(name)).flatMap(({ lines }) => lines)

describe('the embedded identity and the document of Keystone', () => {
  it('the extract has the operations that the identity has, and no others', () => {
    expect([...ofKeystone.keys()].toSorted()).toEqual(served.toSorted())
  })

  it.each(served)('%s takes and answers what Keystone does, but for what the table says', (name) => {
    const lines = linesOf(name)
    expect(differencesAt(name).filter((difference) => !lines.some((line) => isAbout(line, difference)))).toEqual([])
  })

  it('everything that the table says is a difference', () => {
    const said = accepted.flatMap(({ lines, of }) => of.flatMap((name) => lines.map((line) => ({ name, line }))))
    const idle = said.filter(({ name, line }) => !differencesAt(name).some((difference) => isAbout(line, difference)))
    expect(idle).toEqual([])
  })
})

const others = pathsOfKeystone.filter((path) => !served.some((name) => name.endsWith(` ${path}`)))

describe('the paths of Keystone that the embedded identity has not', () => {
  it.each(others)('%s is answered 501, with a sentence', async (path) => {
    const answer = await identity('GET', path.replace('/v3', '').replaceAll('{}', 'x'))
    expect([answer.status, answer.json.error.title]).toEqual([501, 'Not Implemented'])
  })
})
