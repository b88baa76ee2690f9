/** T13 in the files of a real run: no secret value is in the database, the objects or their journals, nor was printed. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { leaked } from '../support/canaries.ts'

/** Throws when one of these is in a file of the folder, or in what the service printed. */
export function verifyNothingLeaked(
  canaries: Readonly<Record<string, string | Uint8Array>>,
  folder: string,
  printed: string,
): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const places = files.map((file) => [file.name, readFileSync(join(file.parentPath, file.name))] as const)
  const journals = places.filter(([name]) => name.endsWith('-wal')).length
  if (places.length === 0 || journals === 0) throw new Error(`${folder} has no database with a journal`)
  for (const [name, bytes] of [...places, ['the output', Buffer.from(printed)] as const]) {
    const found = leaked(canaries, bytes)
    if (found.length > 0) throw new Error(`${found.join(', ')} found in ${name}`)
  }
  return `${Object.keys(canaries).length} secret values in none of ${places.length} files, ${journals} of them journals`
}
