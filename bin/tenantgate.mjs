#!/usr/bin/env node
/**
 * The command `tenantgate`: runs the build, and says so where there is none yet. It is committed, because npx remembers for good
 * that a package had no command. Plain JavaScript, because an old Node must be able to read it too; the build checks the version.
 */
import { existsSync } from 'node:fs'

const built = new URL('../dist/cli/main.js', import.meta.url)

if (existsSync(built)) {
  await import(built.href)
} else {
  process.stderr.write('tenantgate: not built yet: run `npm ci` in the checkout, it builds and brings Node 24 along\n')
  process.exitCode = 1
}
