/** Small faults in how old an answer may be: its rules, heartbeats, memory, live checks, and what is asked again. */
import { inFile } from './fault.ts'

export const inAges = [
  ...inFile(
    'state/age',
    ['state/age', 'state/freshness'],
    ['later(at, -CLOCK_MARGIN_SECONDS)', 'at', 'clocks that differ make an answer older than it says'],
    ['asOf <= now ? asOf : null', 'asOf', 'a heartbeat from the future counts'],
    ['isWithin(accepted, asOf, now)', 'isWithin(accepted + 0.001, asOf, now)', 'an answer is a moment too old'],
  ),
  ...inFile(
    'state/deployment/heartbeats',
    ['state/freshness'],
    ['if (!(await isWritable(reader))) return', '', 'heartbeats are written while the service is read-only'],
    [
      'if (asOf === null || !isRecent(accepted, asOf, now)) throw',
      'if (asOf === null) throw',
      'a replica of any age answers',
    ],
    ['!isRecent(bound / PART_UNTIL_DUE, asOf, now)', 'false', 'nobody writes the next heartbeat in time'],
    [
      'isWithin(bound / PART_BETWEEN, known.written, reader.now)',
      'false',
      'each reader of an old heartbeat writes one',
    ],
  ),
  ...inFile(
    'state/database/session',
    ['state/freshness', 'access/embedded'],
    [
      'const dated = await question.decide(',
      'const dated = undefined\n      void question.decide(',
      'results are used before the questions are answered',
    ],
    [
      "byReplica = this.consistency !== 'first-primary' && !results",
      'byReplica = false && !results',
      'a replica counts as the primary',
    ],
  ),
  ...inFile(
    'state/secrets/look-ups',
    ['state/replicas', 'wire/key-manager'],
    [
      'if (!hasChanges(backend, projectId)) return',
      'if (false) return',
      'a look-up by name misses what the isolate has written',
    ],
    ['  await backend.db.requireAnswers()\n', '', 'what is remembered of a name is used before the live check'],
    ['asker.credential !== undefined && backend.db.isOpen', 'false', 'a name is looked up before the project is known'],
  ),
  ...inFile(
    'state/secrets/memory',
    ['state/read-cache', 'state/freshness'],
    [
      "accepts.memory === 0 || db.from !== 'first-unconstrained'",
      'accepts.memory === 0',
      'a request with a bookmark is answered from memory',
    ],
    [' && isLive(found.row, now)', '', 'an expired secret is shown from memory'],
    ['  rows(binding).delete(id)\n', '', 'a change does not evict the secret'],
    ['!found || !suits(found.row)', '!found', 'a secret without consumers is shown with them'],
    ['entries: MOST_REMEMBERED,', 'entries: MOST_REMEMBERED * 2,', 'the memory is larger than it says'],
    ['db.observeMemory(found.asOf)', '', 'a refusal that follows from memory is final, and its age is not told'],
    ['if (isDue && !isBeingRead)', 'if (false)', 'nothing is read ahead of time'],
  ),
  ...inFile(
    'state/connect',
    ['state/read-cache'],
    ["|| target.startsWith('secret/')", '', 'a change of an ACL does not evict the secret'],
    ['if (isOfSecret(change)) evictSecret(db, change)', '', 'no change evicts a secret'],
  ),
  ...inFile(
    'access/live-checks',
    ['access/embedded', 'threats/live-checks', 'state/freshness'],
    ["if (!outcome) throw fault('unauthenticated')", '', 'a token without rights is answered'],
    [
      'known && isRecent(accepts.most, known.asOf, now) ? known',
      'known ? known',
      'what is known of a caller has no end',
    ],
    ['since === generation && ', '', 'a check that began before a change is remembered after it'],
    ['for (const evict of evictions) evict()', '', 'a change through this isolate takes effect late'],
  ),
  ...inFile(
    'wire/gates',
    ['state/freshness', 'state/replicas'],
    [
      '(!db.observed.lagging && (db.isRefusal(error) || !db.isOpen))',
      'true',
      'a replica refuses what the primary would not',
    ],
    [
      '  await db.requireAnswers()\n  if (isPermitted()) return',
      '  if (isPermitted()) return',
      'what is remembered of a secret is shown without a live check',
    ],
  ),
  ...inFile(
    'wire/http/accepted-age',
    ['state/freshness'],
    ["directive === 'no-cache'", 'false', '`no-cache` is answered by a replica'],
    ['Math.min(seconds, stalenessSeconds)', 'seconds', 'a client sets a bound above the deployment’s'],
    ['Math.min(readCacheSeconds, stalenessSeconds)', 'readCacheSeconds', 'memory outlives the bound'],
  ),
]
