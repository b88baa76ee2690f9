/** All small faults, by room. */
import { inAccess } from './access.ts'
import { inAges } from './ages.ts'
import { inCrypto } from './crypto.ts'
import { inDeployments } from './deployments.ts'
import type { SmallFault } from './fault.ts'
import { ofPlatform } from './platform.ts'
import { inProjects } from './projects.ts'
import { inSecrets } from './secrets.ts'
import { inTransit } from './transit.ts'
import { inWire } from './wire.ts'

export const smallFaults: readonly SmallFault[] = [
  ...inAccess,
  ...inAges,
  ...inCrypto,
  ...inDeployments,
  ...inSecrets,
  ...inProjects,
  ...inTransit,
  ...inWire,
  ...ofPlatform,
]
