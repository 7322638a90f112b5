/** `npm start -- --smoke`, in this process: the whole stack from the sources, and each of its promises. */
import { expect, it } from 'vitest'
import { runSmoke } from '../../demo/smoke.ts'
import { startStack } from '../../demo/stack.ts'

it('every promise of the demo holds', { timeout: 180_000 }, async () => {
  const rows: string[] = []
  const stack = await startStack({ env: process.env, port: 0, httpPort: 0, adminPort: 0, say: () => {} })
  try {
    await runSmoke(stack, (row) => rows.push(row))
  } finally {
    await stack.stop()
  }
  expect(rows.filter((row) => !row.startsWith('pass'))).toEqual([expect.stringMatching(/^[1-9]\d+ passed, 0 failed$/)])
})
