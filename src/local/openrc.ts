/** What a shell needs to use the demo user: for curl, for the OpenStack client, and for programs that use gophercloud. */
import { join } from 'node:path'
import type { Demo } from './demo.ts'
import { writePrivate } from './keys.ts'

/** The name of the file in the state folder. */
const OPENRC = 'openrc'

/**
 * Returns the variables. gophercloud has no names for the domain of the user and that of the project and reads
 * OS_DOMAIN_NAME for both, and OS_PROJECT_ID where a project is named; openstacksdk takes OS_DOMAIN_NAME for the same.
 */
export function shellVariables(url: string, demo: Demo, password: string): Readonly<Record<string, string>> {
  return {
    URL: url,
    TOKEN: demo.token,
    PROJECT: demo.projectId,
    OS_AUTH_URL: `${url}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: demo.user,
    OS_PASSWORD: password,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_NAME: demo.project,
    OS_PROJECT_ID: demo.projectId,
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
    OS_INTERFACE: 'public',
  }
}

/** Prints how to use the demo user, writes the same for `.` of a shell, and says where that file is. */
export function showDemo(url: string, state: string, demo: Demo, password: string): void {
  const lines = Object.entries(shellVariables(url, demo, password)).map(([name, value]) => `export ${name}=${value}`)
  const file = join(state, OPENRC)
  writePrivate(file, `# TOKEN is valid until ${demo.expiresAt}; OS_* log in anew.\n${lines.join('\n')}\n`)
  console.log(`
Paste this into another terminal, or run there:  . ${file}

${lines.map((line) => `  ${line}`).join('\n')}

TOKEN is valid for an hour; the OpenStack client gets another:  export TOKEN=$(openstack token issue -f value -c id)

An order of a 256-bit AES key:

  curl -s -X POST "$URL/v1/orders" -H "X-Auth-Token: $TOKEN" -H 'Content-Type: application/json' \\
    -d '{"type": "key", "meta": {"name": "first", "algorithm": "aes", "bit_length": 256, "mode": "gcm"}}'
`)
}
