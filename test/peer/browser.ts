/**
 * Opens the pages in Chromium (Debian's package) as a reader does: on a phone's width and a desk's, light and dark, with
 * the policy that the Worker sends. Playwright and axe are installed from npm for this run only.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installFromNpm, needPackages } from './packages.ts'
import { words } from './process.ts'
import type { Outcome } from './report.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** The screenshots of the last run. */
const PICTURES = join(ROOT, '.wrangler/browser')
const PACKAGES = ['playwright-core@1.65.1', 'axe-core@4.14.1']
const FLAGS = words`--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync`

/** In CSS pixels: a phone and a desk. */
const WIDTHS = [390, 1280] as const
const HEIGHT = 900
const SCHEMES = ['light', 'dark'] as const
/** A page of each kind: the front page, the index, prose with wide tables and images, the reference. */
const PATHS = [
  '/',
  '/docs',
  '/docs/openstack',
  '/docs/roles',
  '/docs/security',
  '/docs/speed',
  '/docs/reference',
  '/docs/fidelity',
] as const

/** The parts of playwright that are used here. */
interface Page {
  goto(url: string): Promise<{ status(): number } | null>
  evaluate(expression: string): Promise<unknown>
  screenshot(options: { readonly path: string }): Promise<unknown>
  on(event: 'console', listen: (message: { type(): string; text(): string }) => void): void
  on(event: 'request', listen: (request: { url(): string }) => void): void
  close(): Promise<void>
}
interface Browser {
  newPage(options: object): Promise<Page>
  close(): Promise<void>
}
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> }
}

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string }[]
}

/** Installs both packages into a folder. Returns playwright and the script of axe. */
async function install(state: string): Promise<{ readonly playwright: Playwright; readonly axe: string }> {
  await needPackages(['chromium', 'fonts-dejavu-core'])
  await installFromNpm(state, PACKAGES)
  const packages = join(state, 'node_modules')
  const playwright = (await import(pathToFileURL(join(packages, 'playwright-core/index.mjs')).href)) as Playwright
  return { playwright, axe: readFileSync(join(packages, 'axe-core/axe.min.js'), 'utf8') }
}

/** Everything that is wrong with the page that is open, one line each. */
async function faultsOf(page: Page, axe: string): Promise<readonly string[]> {
  await page.evaluate(axe)
  const violations = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as readonly Violation[]
  const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  return [
    ...violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
    ),
    ...(wide === 0 ? [] : [`the page is ${String(wide)} pixels wider than the screen`]),
  ]
}

interface View {
  readonly path: string
  readonly width: number
  readonly colorScheme: (typeof SCHEMES)[number]
}

/** Opens one page. Returns null, or what is wrong with it. */
async function visit(browser: Browser, url: string, axe: string, view: View): Promise<string | null> {
  const { path, width, colorScheme } = view
  const page = await browser.newPage({ viewport: { width, height: HEIGHT }, colorScheme })
  const faults: string[] = []
  // A style or an image that the policy refuses is an error of the console.
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('request', (request) => request.url().startsWith(url) || faults.push(`it asked for ${request.url()}`))
  try {
    const answer = await page.goto(url + path)
    if (answer?.status() !== 200) faults.push(`status ${answer?.status()}`)
    faults.push(...(await faultsOf(page, axe)))
    const name = `${path === '/' ? 'front' : path.slice(1).replaceAll('/', '-')}-${width}-${colorScheme}.png`
    await page.screenshot({ path: join(PICTURES, name) })
  } finally {
    await page.close()
  }
  return faults.length === 0 ? null : faults.join('; ').slice(0, 1_500)
}

/** Visits the pages of the service at `url`. `state` is the folder for the packages. */
export async function runBrowser(url: string, state: string): Promise<readonly Outcome[]> {
  const { playwright, axe } = await install(state)
  mkdirSync(PICTURES, { recursive: true })
  const browser = await playwright.chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS })
  const outcomes: Outcome[] = []
  try {
    for (const path of PATHS)
      for (const width of WIDTHS)
        for (const colorScheme of SCHEMES) {
          const failure = await visit(browser, url, axe, { path, width, colorScheme })
          const name = `browser: ${path} at ${width} px, ${colorScheme}`
          console.log(failure === null ? `ok    ${name}` : `FAIL  ${name}: ${failure}`)
          outcomes.push({ name, failure })
        }
  } finally {
    await browser.close()
  }
  return outcomes
}
