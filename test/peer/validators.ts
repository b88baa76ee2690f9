/**
 * Compares the schemas of bodies in the contract with those by which the installed Barbican validates requests. What
 * differs must be in {@link accepted}.
 */
import { join } from 'node:path'
import contract from '../../src/contract/openapi.json' with { type: 'json' }
import { needPackages } from './packages.ts'
import { runToSuccess } from './process.ts'
import type { Outcome } from './report.ts'

type Schema = Readonly<Record<string, unknown>>

/** The operation whose body each of Barbican's classes validates; null: of a part of the API that is not there. */
const operations: Readonly<Record<string, readonly [path: string, method: string] | null>> = {
  NewSecretValidator: ['/v1/secrets', 'post'],
  NewSecretMetadataValidator: ['/v1/secrets/{secret}/metadata', 'put'],
  NewSecretMetadatumValidator: ['/v1/secrets/{secret}/metadata/{key}', 'put'],
  SecretConsumerValidator: ['/v1/secrets/{secret}/consumers', 'post'],
  TypeOrderValidator: ['/v1/orders', 'post'],
  ACLValidator: ['/v1/secrets/{secret}/acl', 'put'],
  ContainerValidator: ['/v1/containers', 'post'],
  ContainerConsumerValidator: ['/v1/containers/{container}/consumers', 'post'],
  ContainerSecretValidator: ['/v1/containers/{container}/secrets', 'post'],
  NewTransportKeyValidator: ['/v1/transport_keys', 'post'],
  ProjectQuotaValidator: ['/v1/project-quotas/{project}', 'put'],
  // Barbican 15 has no route for it: subordinate authorities are gone.
  NewCAValidator: null,
}

/** What differs on purpose, as a line of {@link differencesOf} begins, with the reason. */
const accepted: Readonly<Record<string, string>> = {
  'SecretConsumerValidator /resource_id maxLength':
    'the column of Barbican has 36 characters, and longer ones are a 500',
  'ProjectQuotaValidator /project_quotas/': 'the columns of Barbican are integers of 32 bits, and others are a 500',
  'NewSecretValidator /extractable': 'is not in Barbican: keys that nobody can read',
  'NewSecretValidator /usages': 'is not in Barbican: what a key is used for',
  TypeOrderValidator: 'Barbican checks `meta` by code, by the type of the order',
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function resolved(schema: Schema, root: Schema): Schema {
  if (typeof schema['$ref'] !== 'string') return schema
  const parts = schema['$ref'].split('/').slice(1)
  const found = parts.reduce<unknown>((value, part) => (value as Schema)[part], root)
  return resolved(found as Schema, root)
}

/** Types in a list, whether they are said as `type` or as `anyOf`, and what the schema says beside them. */
function merged(schema: Schema, root: Schema): Schema {
  const { anyOf, ...others } = resolved(schema, root)
  const options = Array.isArray(anyOf) ? anyOf.map((option: Schema) => merged(option, root)) : []
  const types = [others['type'] ?? [], ...options.map((option) => option['type'] ?? [])].flat()
  return {
    ...Object.assign({}, ...options),
    ...others,
    ...(types.length > 0 && { type: types.map(String).toSorted() }),
  }
}

const compared = ['type', 'enum', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'] as const

/** All that a schema says, as lines: the path of the member, a keyword, and its value. */
function factsOf(given: Schema, root: Schema, path = ''): Map<string, string> {
  const schema = merged(given, root)
  const facts = new Map<string, string>()
  const {
    properties = {},
    required,
    items,
    additionalProperties,
  } = schema as {
    readonly properties?: Readonly<Record<string, Schema>>
    readonly required?: unknown
    readonly items?: Schema | readonly Schema[]
    readonly additionalProperties?: unknown
  }
  for (const keyword of compared) {
    // A choice makes lengths idle.
    const isIdle = schema[keyword] === undefined || (keyword.endsWith('Length') && schema['enum'] !== undefined)
    if (!isIdle) facts.set(`${path || '/'} ${keyword}`, JSON.stringify([schema[keyword]].flat().map(String).toSorted()))
  }
  if (additionalProperties === false) facts.set(`${path || '/'} additionalProperties`, 'false')
  // Draft 3 says it of the member.
  const ofDraft3 = Object.entries(properties).filter(([, member]) => member['required'] === true)
  const names = Array.isArray(required) ? required.map(String) : ofDraft3.map(([name]) => name)
  if (names.length > 0) facts.set(`${path || '/'} required`, JSON.stringify(names.toSorted()))
  const parts = Object.entries(properties).map(([name, member]) => [`${path}/${name}`, member] as const)
  const item = [items].flat().find(isSchema)
  for (const [at, part] of item ? [...parts, [`${path}/*`, item] as const] : parts)
    for (const [fact, value] of factsOf(part, root, at)) facts.set(fact, value)
  return facts
}

/** The differences between Barbican's schema of a class and ours. */
function differencesOf(name: string, theirs: Schema, ours: Schema): string[] {
  const [their, our] = [factsOf(theirs, theirs), factsOf(ours, contract)]
  const facts = [...new Set([...their.keys(), ...our.keys()])]
  return facts
    .filter((fact) => their.get(fact) !== our.get(fact))
    .map(
      (fact) => `${name} ${fact}: Barbican ${their.get(fact) ?? 'nothing'}, the contract ${our.get(fact) ?? 'nothing'}`,
    )
}

function bodyOf([path, method]: readonly [string, string]): Schema {
  const paths = contract.paths as Readonly<Record<string, Schema>>
  const operation = paths[path]?.[method] as
    | { readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: Schema } } } }
    | undefined
  if (!operation) throw new Error(`the contract has no ${method} ${path}`)
  return operation.requestBody.content['application/json'].schema
}

/** Compares all classes; each is an outcome. */
export async function compareValidators(): Promise<readonly Outcome[]> {
  await needPackages(['python3-barbican'])
  const printed = await runToSuccess('/usr/bin/python3', [join(import.meta.dirname, 'validators.py')])
  const schemas = JSON.parse(printed) as Readonly<Record<string, Schema>>
  const idle = new Set(Object.keys(accepted))
  const outcomes = Object.entries(schemas).map(([name, schema]): Outcome => {
    const operation = operations[name]
    if (operation === null) return { name: `validators: ${name}`, failure: null }
    const all = operation ? differencesOf(name, schema, bodyOf(operation)) : [`${name} is not compared`]
    const wrong = all.filter((line) => {
      const known = Object.keys(accepted).filter((beginning) => line.startsWith(beginning))
      for (const beginning of known) idle.delete(beginning)
      return known.length === 0
    })
    return { name: `validators: ${name}`, failure: wrong.length === 0 ? null : wrong.join('; ') }
  })
  const unused = idle.size === 0 ? null : `no difference: ${[...idle].join('; ')}`
  return [...outcomes, { name: 'validators: every accepted difference is one', failure: unused }]
}
