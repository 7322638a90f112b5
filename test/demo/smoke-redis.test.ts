/** `npm start -- --smoke --redis`, in this process: two sidecars that share a Redis, and each of the demo's promises. */
import { expect, it } from 'vitest'
import { banner } from '../../demo/banner.ts'
import { runSmoke } from '../../demo/smoke.ts'
import { startStack } from '../../demo/stack.ts'

it('every promise of the demo holds over Redis, and the banner has lines for it', { timeout: 240_000 }, async () => {
  const rows: string[] = []
  const ports = { port: 0, httpPort: 0, adminPort: 0 }
  const stack = await startStack({ env: process.env, ...ports, redis: true, say: () => {} })
  try {
    expect(banner(stack)).toContain(`tenants import ${stack.policyFile} --redis ${stack.redis?.url}`)
    expect(new Set(stack.httpPorts).size).toBe(2)
    await runSmoke(stack, (row) => rows.push(row))
  } finally {
    await stack.stop()
  }
  expect(rows.filter((row) => row.startsWith('pass  shared'))).toHaveLength(6)
  expect(rows.filter((row) => !row.startsWith('pass'))).toEqual([expect.stringMatching(/^[1-9]\d+ passed, 0 failed$/)])
})
