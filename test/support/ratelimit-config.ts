/** A ratelimit configuration from its text, for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import { formatProblem } from '../../policy/problem.ts'
import { loadDescriptorConfig } from '../../policy/ratelimit/load.ts'

/** Throws with the problems when the text is none. */
export function ratelimitConfigOf(text: string): DescriptorConfig {
  const folder = mkdtempSync(join(tmpdir(), 'tg-'))
  try {
    writeFileSync(join(folder, 'limits.yaml'), text)
    const loaded = loadDescriptorConfig(folder, { mergeDomains: false })
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'))
    return loaded.config
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
