/** Audit events as CADF (DMTF DSP0262 1.0.0), the form in which they are hashed and exported. */
import type { auditEvents } from '../schema/audit.ts'

export type AuditRow = typeof auditEvents.$inferSelect

/** The service: the observer of every event, and the initiator of events without a calling user. */
const SERVICE = { typeURI: 'service/security/keymanager', id: 'portcullis' } as const

/** CADF's host of the initiator: its address, and as its agent the application that it claims to be. */
function hostOf({ initiatorAddress: address, initiatorApplication: agent }: AuditRow) {
  return { ...(address !== null && { address }), ...(agent !== null && { agent }) }
}

function initiatorOf(row: AuditRow) {
  const { initiatorId, initiatorProjectId, onBehalfOf } = row
  const host = hostOf(row)
  if (initiatorId === null) return { ...SERVICE, ...(onBehalfOf !== null && { on_behalf_of: onBehalfOf }) }
  return {
    typeURI: 'data/security/account/user',
    id: initiatorId,
    ...(initiatorProjectId !== null && { project_id: initiatorProjectId }),
    ...(Object.keys(host).length > 0 && { host }),
  }
}

/** CADF's reason: the HTTP status of a failure, and the access rule that was applied. */
function reasonOf({ reason, rule }: AuditRow) {
  return {
    ...(reason !== null && { reasonType: 'HTTP', reasonCode: reason }),
    ...(rule !== null && { policyType: 'rule', policyId: rule }),
  }
}

/**
 * The CADF event of a row that has this number, or is about to get it. Changing this form invalidates existing chains.
 */
export function cadfEvent(row: AuditRow, number: number) {
  const reason = reasonOf(row)
  return {
    typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
    eventType: 'activity',
    id: row.id,
    eventTime: `${row.time}+00:00`,
    action: row.action,
    outcome: row.outcome,
    name: row.operation,
    initiator: initiatorOf(row),
    target: { typeURI: row.targetType, id: row.targetId, project_id: row.projectId },
    observer: SERVICE,
    ...(Object.keys(reason).length > 0 && { reason }),
    ...(row.requestId !== null && { tags: [`correlation_id?value=${row.requestId}`] }),
    ...(row.targetMac !== null && {
      attachments: [{ name: 'mac of the target', typeURI: 'text/plain', content: row.targetMac }],
    }),
    number,
  }
}
