/** A folder with a policy whose flags roll out by date, for tests of the commands. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKey } from '../../support/gate.ts'

export const FLAGS = {
  flags: {
    'orders-backend': {
      state: 'ENABLED',
      variants: { stable: 'orders-stable', canary: 'orders-canary', beta: 'orders-beta' },
      defaultVariant: 'stable',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'beta', null] },
    },
    'new-checkout': {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: { if: [{ '==': [{ var: 'header:x-app' }, '2'] }, 'on', null] },
    },
    gone: { state: 'DISABLED', variants: { on: true }, defaultVariant: 'on' },
  },
}

const policyText = (hash: string) => `version: 1
plans: { pro: {}, free: {} }
tenants:
  acme: { plan: pro, aliases: [org_7f3a], attributes: { beta: true }, apiKeys: [{ id: ci, hash: "${hash}" }] }
  globex: { plan: free }
upstreams: [orders-stable, orders-canary, orders-beta]
routes: [{ name: all, match: { path: /** }, upstream: { default: orders-stable, flag: orders-backend } }]
flags:
  file: flags.json
  headers: [x-app]
  override: { header: x-flag-override, anyRole: [tester], credentials: [acme/ci] }
  rollouts:
    orders-backend:
      variant: canary
      steps:
        - { from: 2026-12-01T09:00:00Z, percent: 0 }
        - { from: 2026-12-03T09:00:00Z, percent: 100 }
        - { from: 2026-12-05T09:00:00.500Z, percent: 0 }
`

export interface FlaggedFolder {
  readonly path: string
  readonly policy: string
  /** A key of acme. */
  readonly key: string
  /** Writes a file there, and answers its path. */
  write(name: string, content: string): string
  remove(): void
}

export function flaggedFolder(): FlaggedFolder {
  const path = mkdtempSync(join(tmpdir(), 'tg-flags-'))
  const { key, hash } = newKey()
  const write = (name: string, content: string) => {
    const file = join(path, name)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  write('flags.json', JSON.stringify(FLAGS))
  const policy = write('tenantgate.yaml', policyText(hash))
  return { path, policy, key, write, remove: () => rmSync(path, { recursive: true }) }
}
