/** What a user checks first: that Kong itself takes the shipped configuration. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseConfig } from '../../../demo/run-kong.ts'
import { packageRoot } from '../../../package-root.ts'
import { socketFolder } from '../../support/envoy.ts'
import { describedInLua } from './plugins.ts'

it('kong config parse takes the shipped kong.yml', async () => {
  const folder = socketFolder()
  const said = await parseConfig(folder, join(packageRoot, 'kong', 'kong.yml'), describedInLua(folder))
  expect(said).toContain('parse successful')
  rmSync(folder, { recursive: true, force: true })
})
