/** `/admin/rotate`: what the master keys are depended on for, and their rotation. For the operator alone. */
import { masterKeyUse, rotateMasterKeys, type MasterKeyUse } from '../state/rotation.ts'
import { json as answer } from './answers.ts'
import { operation, resource } from './resource.ts'

function view({ id, primary, projectKeys }: MasterKeyUse) {
  return { id, primary, project_keys: projectKeys, removable: !primary && projectKeys === 0 }
}

export const rotationResource = resource({
  path: '/rotate',
  // A key is taken out on the word of this report.
  reads: 'primary',
  operations: {
    GET: operation({
      name: 'Key rotation report',
      rule: 'key_rotation:get',
      async answer({ c, backend }) {
        return answer(c, 200, { master_keys: (await masterKeyUse(backend)).map(view) })
      },
    }),
    POST: operation({
      name: 'Key rotation',
      rule: 'key_rotation:post',
      async answer({ c, backend }) {
        const rewrapped = await rotateMasterKeys(backend)
        return answer(c, 200, { rewrapped, master_keys: (await masterKeyUse(backend)).map(view) })
      },
    }),
  },
})
