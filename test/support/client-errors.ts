/** What calls of `portcullis/client` fail with. */
import { expect } from 'vitest'
import { KeyManagerError } from '../../src/client/index.ts'

/** The error of a call, which is always one of the client. */
export async function errorOf(calling: Promise<unknown>): Promise<KeyManagerError> {
  const error: unknown = await calling.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(KeyManagerError)
  return error as KeyManagerError
}
