/** The demo's policy with fresh credentials in it, in a folder of its own. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { packageRoot } from '../package-root.ts'
import type { DemoCredentials } from './credentials.ts'

const demoFolder = join(packageRoot, 'demo')

/**
 * Writes policy, public keys and flags into `folder`. Returns the policy's file; comments are kept, for whoever edits it. `state` is
 * put in the place of what the demo's policy says of it.
 */
export function writePolicyCopy(folder: string, { policyKeys, jwks }: DemoCredentials, state?: object): string {
  const policy = parseDocument(readFileSync(join(demoFolder, 'tenantgate.yaml'), 'utf8'))
  for (const [tenant, keys] of Object.entries(policyKeys)) {
    policy.setIn(['tenants', tenant, 'apiKeys'], policy.createNode(keys))
  }
  if (state) policy.set('state', policy.createNode(state))
  const file = join(folder, 'tenantgate.yaml')
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(jwks))
  copyFileSync(join(demoFolder, 'flags.json'), join(folder, 'flags.json'))
  writeFileSync(file, policy.toString({ lineWidth: 120 }), { mode: 0o600 })
  return file
}
