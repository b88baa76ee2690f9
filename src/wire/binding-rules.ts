/** Access to secrets through a service binding: the refs of a call, the rules that HTTP has, and records of refusals. */
import { permits, type Rule } from '../access/policy.ts'
import { Fault, fault } from '../faults.ts'
import type { AuditTarget } from '../state/audit/events.ts'
import { recordRefusal } from '../state/audit/refusals.ts'
import type { Backend } from '../state/backend.ts'
import type { KeyOperation, Secret } from '../state/entities.ts'
import { isWritable } from '../state/read-only.ts'
import type { BindingCall } from './binding-calls.ts'
import { requirePermission } from './gates.ts'
import { idOf, isCanonicalId } from './http/refs.ts'

const MOST_REF_CHARACTERS = 2_048

/** Returns the id at the end of a ref. Throws `argument` for what is not text, and `secretId`. */
export function idIn(ref: unknown): string {
  if (typeof ref !== 'string' || ref.length > MOST_REF_CHARACTERS) throw fault('argument', 'ref')
  const id = idOf(ref)
  if (!isCanonicalId(id)) throw fault('secretId')
  return id
}

/** What a call asks: its rule and, for the use of a key, the operation. */
export interface Asked {
  readonly rule: Rule
  readonly use?: KeyOperation
  /** What a refusal is recorded of; the default is `secret`. */
  readonly target?: AuditTarget
}

/** Reports whether the rule allows the caller to look the secret up, and the binding is not narrowed to others. */
export function isAdmitted({ config, caller, props }: BindingCall, { rule, use }: Asked, secret: Secret): boolean {
  const listed = props.secrets?.some((one) => one === secret.id || one === secret.name) ?? true
  return listed && permits(config.policy, rule, caller, secret, use)
}

export const ruled = ({ backend }: Pick<BindingCall, 'backend'>, rule: Rule): Backend => ({
  ...backend,
  source: { ...backend.source, rule },
})

/**
 * Looks a secret up that was found. Throws `notPermitted` unless it is admitted; this and every other 403 is recorded in
 * the log of the project that has the secret.
 */
export async function admitted<Value>(
  call: BindingCall,
  asked: Asked,
  secret: Secret,
  look: () => Promise<Value>,
): Promise<Value> {
  try {
    await requirePermission(call.backend.db, () => isAdmitted(call, asked, secret))
    return await look()
  } catch (error) {
    // What a replica refuses is asked again at the primary.
    const isFinal = error instanceof Fault && error.status === 403 && !call.backend.db.observed.lagging
    if (isFinal && (await isWritable(call.backend))) {
      const { id, projectId } = secret
      const { rule, target = 'secret' } = asked
      await recordRefusal(ruled(call, rule), { target, id, action: 'read', projectId, failure: '403' })
    }
    throw error
  }
}
