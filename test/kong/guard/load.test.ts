/** Kong can load the guards, each directly around its plugin. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PLUGINS } from '../../conformance/kong-plugins.ts'
import { type LuaHost, startLuaHost } from '../harness/lua-host.ts'

let lua: LuaHost
beforeAll(async () => {
  lua = await startLuaHost()
})
afterAll(() => lua?.stop())

describe.each([...PLUGINS])('%s', (name, { Priority, Version }) => {
  it.each([
    ['before', Priority + 1],
    ['after', Priority - 1],
  ])('has its guard %s it, at %i', async (side, priority) => {
    const plugin = `${name}-${side}`
    expect(await lua.describe(plugin)).toMatchObject({ schema: plugin, priority, version: Version })
  })
})
