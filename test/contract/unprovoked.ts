/** Failures that an operation declares and that no test provokes, as `<operation> <failure>`, each with the reason. */
export const unprovoked: Readonly<Record<string, string>> = {}
