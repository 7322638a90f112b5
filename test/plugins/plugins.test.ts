/** The plugin files as plugin servers load them: what stands in the folder, and what each says of itself. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import * as auth from '../../plugins/tenant-auth.ts'
import * as flags from '../../plugins/tenant-flags.ts'
import * as gate from '../../plugins/tenant-gate.ts'
import * as quota from '../../plugins/tenant-quota.ts'

const plugins = { 'tenant-auth': auth, 'tenant-flags': flags, 'tenant-gate': gate, 'tenant-quota': quota }

describe('the plugins', () => {
  it('are all that stands in their folder: Kong’s JavaScript server loads whatever it finds there', () => {
    expect(readdirSync(join(packageRoot, 'plugins')).sort()).toEqual(Object.keys(plugins).map((name) => `${name}.ts`))
  })

  it('have the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    for (const { Version } of Object.values(plugins)) expect(Version).toBe(version)
  })

  it('run after each other as their stages do, between the plugins of Kong that they need and those that need them', () => {
    const [KEY_AUTH, ACL, REQUEST_TRANSFORMER, CORS] = [1250, 950, 801, 2000]
    const order = [CORS, KEY_AUTH, gate, auth, ACL, quota, flags, REQUEST_TRANSFORMER].map((entry) =>
      typeof entry === 'number' ? entry : entry.Priority,
    )
    expect(order).toEqual([...order].sort((a, b) => b - a))
    expect([gate, auth, quota, flags].map(({ Priority }) => Priority)).toEqual([1240, 1235, 906, 850])
  })

  it.each(Object.entries(plugins))(
    '%s has one phase, and cannot be made with a wrong configuration',
    (_name, module) => {
      expect(Object.getOwnPropertyNames(module.Plugin.prototype)).toEqual(['constructor', 'access'])
      expect(() => new module.Plugin({ nonsense: 1 })).toThrow('`nonsense`')
    },
  )
})
