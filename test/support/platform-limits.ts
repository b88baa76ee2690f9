/**
 * Limits of the platform, from Cloudflare's pages "D1: Limits" and "Workers: Limits" (November 2026). Whether each
 * statement of a batch counts as a query is not documented: the tests assume that it does.
 */

/** Workers Paid. Earlier editions of the page have 1,000 subrequests, later ones 10,000. */
export const paid = { queriesPerInvocation: 1_000, subrequestsPerInvocation: 1_000 } as const
/** The free plan. */
export const free = { queriesPerInvocation: 50, subrequestsPerInvocation: 50 } as const

/** Limits of one statement on both plans. */
export const statementLimits = { parameters: 100, sqlBytes: 100_000, parameterBytes: 2_000_000 } as const

/** The part of a limit that is used at most: the rest is room for repetitions after errors. */
export const MOST_OF_LIMIT = 0.8
