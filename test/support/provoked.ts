/** Which failures of which operations the present test has provoked, for `test/contract/provocations.ts`. */
declare module 'vitest' {
  interface TaskMeta {
    /** As `<operation> <failure>`. */
    provoked?: string[]
  }
}

/** As `<operation> <failure>`. */
export const provoked = new Set<string>()
