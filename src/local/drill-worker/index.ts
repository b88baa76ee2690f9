/**
 * The Worker of `npm run drill`: verifies the database that it is bound to, a page with each request. It answers with
 * numbers and names alone. It is never deployed.
 */
import { readConfig, type Environment } from '../../config.ts'
import { SealError } from '../../crypto/envelope.ts'
import { Fault } from '../../faults.ts'
import { factsOf } from '../../log.ts'
import { connect } from '../../state/connect.ts'
import { Session } from '../../state/database/session.ts'
import type { ProtectedName } from '../../state/integrity/protection.ts'
import { applyMigrations } from '../../state/object/migrate.ts'
import { byService } from '../../state/scope.ts'
import * as verification from '../../state/verification.ts'
import { formatTime } from '../../times.ts'

export { ProjectObject } from '../../state/object/project-object.ts'

export interface Question {
  readonly part: 'parts' | 'sealed' | 'rows' | 'chains' | 'counts' | 'unsealed'
  readonly name?: string
  readonly after?: unknown
}

async function answerTo({ part, name = '', after = null }: Question, env: Environment): Promise<unknown> {
  const backend = connect(env, await readConfig(env), formatTime(Date.now()), byService('Drill'))
  // Without the admission of `deployment/`: the dump belongs to a deployment with other objects.
  const scope = { ...backend, db: new Session(env.DB, 'first-primary') }
  switch (part) {
    case 'parts':
      await applyMigrations(env.DB)
      return { sealed: verification.sealedNames, rows: verification.protectedNames }
    case 'sealed':
      return verification.openValues(scope, name, Number(after))
    case 'rows':
      return verification.checkRows(scope, name as ProtectedName, Number(after))
    case 'chains':
      return verification.followChains(scope, after as verification.ChainPosition | null)
    case 'counts':
      return verification.compareCounts(scope)
    case 'unsealed':
      return verification.unsealedEvents(scope)
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    try {
      return Response.json(await answerTo(await request.json<Question>(), env))
    } catch (error) {
      // Messages of other errors may contain what was stored.
      const isSafe = error instanceof SealError || error instanceof Fault
      return new Response(isSafe ? error.message : factsOf(error).error, { status: 500 })
    }
  },
} satisfies ExportedHandler<Environment>
