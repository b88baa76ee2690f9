/** How incidents of the audit log are shown. */
import type { ChainHead, Incident } from '../state/project-calls.ts'

const headView = ({ number, hash }: ChainHead) => ({ number, hash })

/** An incident without what the object keeps beside the end of a log. */
export const incidentView = ({ expected, found, ...incident }: Incident) => ({
  ...incident,
  expected: headView(expected),
  found: found && headView(found),
})
