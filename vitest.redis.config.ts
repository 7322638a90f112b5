/** `npm run test:redis`: every fault on a real Cluster and on what real sentinels watch, one file after another. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/redis/**/*.redis.ts', 'test/redis/**/*.test.ts'],
    reporters: ['default', './tools/closing-line.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // failovers want the machine to themselves
    maxWorkers: 1,
    fileParallelism: false,
  },
})
