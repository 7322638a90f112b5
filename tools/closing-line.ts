/** A vitest reporter that ends the run with one line, `N passed, N failed`, which counts all that went wrong, not only assertions. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** vitest calls it with `new`. A file that could not be loaded and an error outside any test each count as one failure. */
export default function ClosingLine(): Reporter {
  return { onTestRunEnd: sayCount }
}

function sayCount(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
  const count = { passed: 0, failed: unhandled.length, skipped: 0 }
  for (const module of modules) {
    const before = count.failed
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed' || state === 'failed') count[state] += 1
      else count.skipped += 1
    }
    if (module.state() === 'failed' && count.failed === before) count.failed += 1
  }
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
  process.on('exit', () => process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`))
}
