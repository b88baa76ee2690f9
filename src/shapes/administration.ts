/** What the audit logs and the routes of the operator answer. */
import * as z from 'zod/mini'
import { count, described, list, textOrNull, time, timeOrNull } from './members.ts'

const typed = () => ({ typeURI: z.string(), id: z.string() })

const AuditEvent = z.object({
  typeURI: z.string(),
  eventType: z.string(),
  id: z.string(),
  eventTime: described(z.string(), 'RFC 3339, in UTC.'),
  action: z.string(),
  outcome: z.string(),
  name: described(z.string(), 'The name of the operation.'),
  initiator: z.object({
    ...typed(),
    on_behalf_of: z.optional(z.string()),
    project_id: z.optional(z.string()),
    host: z.optional(z.object({ address: z.optional(z.string()), agent: z.optional(z.string()) })),
  }),
  target: z.object({ ...typed(), project_id: z.string() }),
  observer: z.object(typed()),
  reason: z.optional(
    z.object({
      reasonType: z.optional(z.string()),
      reasonCode: z.optional(z.string()),
      policyType: z.optional(z.string()),
      policyId: z.optional(z.string()),
    }),
  ),
  tags: z.optional(list(z.string())),
  attachments: z.optional(list(z.object({ name: z.string(), typeURI: z.string(), content: z.string() }))),
  number: described(z.int(), 'The position in the log of the project, from 1.'),
  previous: described(z.string(), 'The hash of the event before.'),
  hash: z.string(),
})

const ChainHead = z.object({ number: z.int(), hash: z.string() })
const Incident = z.object({
  time: time(),
  expected: ChainHead,
  found: z.nullable(ChainHead),
  reconciled: z.optional(time()),
})

const keyReport = () => ({
  master_keys: list(
    z.object({
      id: z.string(),
      primary: z.boolean(),
      project_keys: described(count(), 'How many keys of projects are wrapped under it.'),
      removable: z.boolean(),
    }),
  ),
  project_keys: z.object({
    current: count(),
    oldest: timeOrNull(),
    superseded: count(),
    values: described(count(), 'How many values are under superseded keys.'),
    more: described(z.boolean(), 'Whether there are more values than were counted.'),
  }),
})

export const administrationShapes = {
  AuditLog: z.object({
    events: described(list(AuditEvent), 'CADF events (DMTF DSP0262), each with the hash of the one before.'),
    marker: described(z.optional(z.int()), 'The marker of the next page; absent on a page that is not full.'),
    head: z.optional(ChainHead),
    incidents: z.optional(list(Incident)),
    rows: described(z.optional(list(z.string())), 'Rows that differ from the ledger of the project.'),
  }),
  KeyReport: z.object(keyReport()),
  KeyRotation: z.object({
    rewrapped: count(),
    superseded: count(),
    resealed: count(),
    unreadable: count(),
    retired: count(),
    ...keyReport(),
  }),
  Destruction: z.object({ project_id: z.string(), due: time(), finished: timeOrNull() }),
  Reconciliation: z.object({
    adopted: z.boolean(),
    complete: described(z.boolean(), 'Whether all rows were compared. If not, the next request continues.'),
    projects: list(
      z.object({
        project_id: z.string(),
        complete: z.boolean(),
        incidents: list(Incident),
        rows: z.object({ changed: count(), gone: count(), unknown: count(), first: list(z.string()) }),
      }),
    ),
    confirm: described(z.optional(z.string()), 'What a request sends to have the report adopted.'),
    marker: described(z.optional(z.string()), 'The marker of the next page.'),
  }),
  ReadOnly: z.object({
    read_only: z.boolean(),
    reason: textOrNull(),
    since: timeOrNull(),
    variable: described(z.boolean(), 'Whether the variable READ_ONLY says so.'),
    known_everywhere_after_seconds: count(),
  }),
}
