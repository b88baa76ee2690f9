/**
 * The requests of each test of the black-box suite, for the page that counts them (`test/peer/fidelity.ts`). They are
 * collected only with RECORD_REQUESTS, and reach vitest's JSON report as `meta` of the test.
 */
import { env } from 'cloudflare:workers'
import { beforeEach } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** `GET /v1/secrets 1.1`: method, path, and the microversion that the answer states, or `-`. */
    requests?: string[]
  }
}

const isWanted = Boolean(Reflect.get(env, 'RECORD_REQUESTS'))

/** The requests of the test that runs; tests of one file run one after the other. */
let current: Set<string> | null = null

/** Notes a request of the test that runs. `url` is that of the request, `answer` what the server sent. */
export function recordRequest(method: string, url: string, answer: Response): void {
  if (current === null) return
  const { pathname } = new URL(url)
  const [microversion = '-'] = /[\d.]+$/.exec(answer.headers.get('OpenStack-API-Version') ?? '') ?? []
  current.add(`${method} ${pathname} ${microversion}`)
}

if (isWanted) {
  beforeEach(({ task }) => {
    const requests = new Set<string>()
    current = requests
    return () => {
      current = null
      task.meta.requests = [...requests]
    }
  })
}
