/** The index of readers: which secrets have an ACL that names a user. What counts is the ACL in the secret's row. */
import { inArray, sql } from 'drizzle-orm'
import { build, change, type Statement } from '../database/prepared.ts'
import { secretReaders, secrets } from '../schema/resources.ts'

/** Makes the index what the rows of these secrets say after the statements before it. */
export function indexReaders(secretIds: readonly string[]): Statement<number>[] {
  const ids = sql`(select value from json_each(${JSON.stringify(secretIds)}))`
  const users = sql`select distinct users.value, ${secrets.id} from ${secrets}, json_each(${secrets.aclUsers}) users
    where ${secrets.id} in ${ids}`
  return [
    change(build.delete(secretReaders).where(inArray(secretReaders.secretId, ids))),
    change(build.insert(secretReaders).select(users)),
  ]
}
