/** What a user checks first: that Kong itself takes the shipped configuration, and finds what is wrong in a changed one. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../../demo/free-port.ts'
import { parseConfig, startAndStop } from '../../../demo/run-kong.ts'
import { packageRoot } from '../../../package-root.ts'
import { socketFolder } from '../../support/envoy.ts'
import { describedInLua, servedElsewhere } from './plugins.ts'

const read = (...path: string[]) => readFileSync(join(packageRoot, ...path), 'utf8')
const shipped = read('kong', 'kong.yml')

let folder: string
beforeAll(() => {
  folder = socketFolder()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('kong config parse takes the shipped kong.yml', async () => {
  const said = await parseConfig(folder, join(packageRoot, 'kong', 'kong.yml'), describedInLua(folder))
  expect(said).toContain('parse successful')
})

/** The settings of the command in docs/kong.md that checks a kong.yml, with a port that is free here. */
async function documentedSettings(): Promise<Record<string, string>> {
  const [command = ''] = /^ {4}KONG_[\s\S]*? kong start .* && kong stop .*$/m.exec(read('docs', 'kong.md')) ?? []
  const port = await freePort()
  const pairs = [...command.matchAll(/(KONG_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const)
  expect(pairs.length).toBeGreaterThan(0)
  return Object.fromEntries(pairs.map(([name, value]) => [name, value.replace(/^(127\.0\.0\.1):\d+$/, `$1:${port}`)]))
}

describe("the documented check of one's kong.yml", () => {
  const check = async (text: string) => {
    const file = join(folder, 'own.yml')
    writeFileSync(file, text)
    const plugins = servedElsewhere(folder, join(folder, 'nobody.sock'))
    await startAndStop(folder, file, plugins, await documentedSettings())
  }

  it('takes the shipped file', () => check(shipped))

  it.each([
    ['a stage that there is not', 'stages: [auth, quota, flags]', 'stages: [auth, quotas]', /'stages'[\s\S]*one of/],
    ['a field that the plugin does not have', 'set_upstream: true', 'set_upstreams: true', /'set_upstreams': unknown/],
    ['a plugin that kong.conf does not name', '- name: tenant-gate-after', '- name: tenant-gates', /tenant-gates/],
    ['a file that is no YAML', 'strip_path: false', 'strip_path: [', /failed parsing/],
  ])('finds %s', async (_, right, wrong, words) => {
    expect(shipped).toContain(right)
    await expect(check(shipped.replace(right, wrong))).rejects.toThrow(words)
  })
})
