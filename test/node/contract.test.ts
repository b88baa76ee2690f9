/** The contract is a valid document of OpenAPI 3.1. The validator makes code, which only Node allows. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, it } from 'vitest'
import contract from '../../src/contract/openapi.json'

it('the contract is a valid document of OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(structuredClone(contract))).toMatchObject({ valid: true })
  expect(validator.version).toBe('3.1')
})
