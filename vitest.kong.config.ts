/** `npm run test:kong`: the tests that want a real Kong (docs/kong.md says where it comes from), one file after another. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/kong/real/**/*.kong.ts'],
    globalSetup: './test/kong/real/look-for-kong.ts',
    reporters: ['default', './tools/closing-line.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Kong and its load want the machine to themselves
    maxWorkers: 1,
    fileParallelism: false,
  },
})
