/** Threat T13 in a real run: no secret value is in the files of the database and the objects, or in the output. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { leaked } from '../support/canaries.ts'
import { printedIn } from './service.ts'

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((file) => join(file.parentPath, file.name))

/** Throws if one of the values is in a file that the services of the state folder stored, or in their output. */
export function verifyNothingLeaked(canaries: Readonly<Record<string, string | Uint8Array>>, state: string): string {
  const [stored, printed] = [filesIn(join(state, 'v3')), filesIn(printedIn(state))]
  const journals = stored.filter((file) => file.endsWith('-wal')).length
  if (journals === 0) throw new Error(`${state} has no database with a journal`)
  let bytesPrinted = 0
  for (const file of [...stored, ...printed]) {
    const bytes = readFileSync(file)
    const found = leaked(canaries, bytes)
    if (found.length > 0) throw new Error(`${found.join(', ')} found in ${file}`)
    if (printed.includes(file)) bytesPrinted += bytes.length
  }
  if (bytesPrinted === 0) throw new Error('the services have printed nothing, not even their requests')
  const where = `${stored.length} files, ${journals} of them journals, or ${bytesPrinted} bytes of output`
  return `${Object.keys(canaries).length} secret values in none of ${where}`
}
