/**
 * The pages for readers: their links lead somewhere, each command says where it is run, and a chart shows the figures of
 * its tables.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))
const text = (page: string) => readFileSync(join(root, page), 'utf8')
const withoutCode = (markdown: string) => markdown.replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = text(page)
    .replaceAll(/^```[^]*?^```/gm, '')
    .matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** The links of a page that stay in the repository. */
function linksOf(page: string): string[] {
  const links = [...withoutCode(text(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return links.filter((target) => !/^[a-z]+:/.test(target))
}

/** Why a link of this page leads nowhere, or null. */
function brokenBecause(page: string, link: string): string | null {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : relative(root, resolve(root, dirname(page), path))
  if (!existsSync(join(root, target))) return `${page}: there is no ${target}`
  if (anchor === undefined || !target.endsWith('.md') || anchorsOf(target).includes(anchor)) return null
  return `${page}: ${target} has no heading for #${anchor}`
}

/**
 * The word after `sh` of a block of commands:
 *
 * - `run`: `npm run interop` runs it against a service that `npm start` started, with the stock clients;
 * - `test`: a test or `.ci/run` runs the same command;
 * - `account`: it needs a Cloudflare account, or an OpenStack cloud with the services that it names.
 */
const MARKS = new Set(['run', 'test', 'account'])

describe('the pages for readers', () => {
  it('the pages for readers are found', () => {
    expect(pages).toContain('README.md')
    expect(pages.filter((page) => page.startsWith('src/docs/')).length).toBeGreaterThan(6)
  })

  it('every link between the pages leads to a file, and to a heading of it', () => {
    const broken = pages.flatMap((page) => linksOf(page).map((link) => brokenBecause(page, link)))
    expect(broken.filter((reason) => reason !== null)).toEqual([])
  })

  it('every block of commands for readers says where it is run', () => {
    const unmarked = ['README.md', ...pages.filter((page) => page.startsWith('src/docs/'))].flatMap((page) =>
      [...text(page).matchAll(/^```(sh|bash|console)\b(.*)$/gm)]
        .filter(([, , mark = '']) => !MARKS.has(mark.trim()))
        .map(([line]) => `${page}: ${line}`),
    )
    expect(unmarked).toEqual([])
  })

  it('the chart of look-ups shows the figures of the tables below it', () => {
    const [, section = ''] = text('src/docs/speed.md').split(/<!-- \/?look-ups -->/)
    // The share of the first trip is derived, and not drawn.
    const figures = [...section.matchAll(/(?<=\| +)(\d+ ms|\d+\.\d)(?= +\|)/g)].map(([figure]) => figure)
    const chart = text('test/bench/look-ups.svg')
    const drawn = [...chart.matchAll(/<text class="strong"[^>]*>([^<]+)</g)].map(([, figure]) => figure)
    expect(figures).toHaveLength(9)
    expect(drawn).toHaveLength(figures.length)
    expect(new Set(drawn)).toEqual(new Set(figures))
  })

  it('the README has at most 150 lines', () => {
    expect(text('README.md').split('\n').length).toBeLessThanOrEqual(151)
  })
})
