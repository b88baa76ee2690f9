/** Waiting for what another request of this isolate has asked. */

/**
 * What `answer` gives, or null when it has not come after so many milliseconds: its request may have been cut off. Raced,
 * not awaited: after an `await` workerd went on in the context of the other request at times, and the answer was lost.
 */
export async function patiently<Answer>(answer: Promise<Answer>, milliseconds: number): Promise<Answer | null> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
