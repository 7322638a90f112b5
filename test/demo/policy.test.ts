/** The committed demo policy: servable as it stands, without a live credential in it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runToEnd } from '../../demo/run-to-end.ts'
import { packageRoot } from '../../package-root.ts'

const read = (name: string) => readFileSync(join(packageRoot, 'demo', name), 'utf8')

it('holds no API key, and of the issuer the public key alone', () => {
  expect(read('tenantgate.yaml')).not.toMatch(/hash:|tg_[a-z0-9]+_/)
  for (const key of JSON.parse(read('jwks.json')).keys) expect(Object.keys(key)).not.toContain('d')
})

it('can be served as it stands', async () => {
  const args = [join(packageRoot, 'cli', 'main.ts'), 'validate', join(packageRoot, 'demo', 'tenantgate.yaml')]
  expect(await runToEnd(process.execPath, args)).toContain('ok')
})
