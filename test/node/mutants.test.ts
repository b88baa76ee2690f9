/**
 * The table of small faults does not rot: every text that a fault replaces stands exactly once in its file, and all
 * files and tests that the table names exist. `npm run mutants` puts the faults in and runs the tests.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { smallFaults } from '../mutants/table.ts'

const root = new URL('../../', import.meta.url).pathname
const contents = (file: string) => readFileSync(root + file, 'utf8')
const nameOf = ({ file, from }: { readonly file: string; readonly from: string }) => `${file}: ${from}`

describe('the table of small faults', () => {
  it('the table of small faults replaces only text that stands exactly once in its file', () => {
    const wrong = smallFaults.flatMap((fault) => {
      const times = existsSync(root + fault.file) ? contents(fault.file).split(fault.from).length - 1 : 0
      return times === 1 ? [] : [`${times} times in ${nameOf(fault)}`]
    })
    expect(wrong).toEqual([])
  })

  it('the table of small faults names tests that exist, and says what each fault would do', () => {
    for (const fault of smallFaults) {
      expect([nameOf(fault), fault.tests.filter((test) => !existsSync(root + test))]).toEqual([nameOf(fault), []])
      expect(fault.tests.length).toBeGreaterThan(0)
      expect(fault.to).not.toBe(fault.from)
      expect(fault.why).not.toBe('')
      expect(fault.survives).not.toBe('')
    }
  })

  it('the table of small faults has at least 150 entries, each once, and argues for few survivors', () => {
    const keys = smallFaults.map((fault) => `${nameOf(fault)} → ${fault.to}`)
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
    expect(smallFaults.length).toBeGreaterThanOrEqual(150)
    expect(smallFaults.filter(({ survives }) => survives !== undefined).length).toBeLessThan(smallFaults.length / 15)
  })
})
