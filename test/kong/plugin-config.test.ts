/** A plugin's configuration: defaults, what Kong adds, and what is wrong. */
import { describe, expect, it } from 'vitest'
import type { MarkName } from '../../kong/handover.ts'
import { readConfig, SCHEMAS } from '../../kong/plugin-config.ts'

/** What Kong 3.9 sends beside the fields of the schema. */
const kongs = {
  __seq__: 3,
  __key__: 'plugins:tenant-gate:r::::w',
  __plugin_id: 'b3e1',
  __ws_id: 'w',
  route_id: 'r',
  service_id: null,
  plugin_instance_name: 'mine',
}

describe('the configuration of a plugin', () => {
  it('of tenant-gate asks for everything by default', () => {
    const config = readConfig('gate', kongs)
    expect([...config.parts]).toEqual(['auth', 'quota', 'flags'])
    expect(config).toMatchObject({ setConsumer: true, setUpstream: true })
  })

  it('of tenant-gate may leave stages out', () => {
    const config = readConfig('gate', { ...kongs, stages: ['auth', 'flags'], set_consumer: false, set_upstream: false })
    expect([...config.parts]).toEqual(['auth', 'flags'])
    expect(config).toMatchObject({ setConsumer: false, setUpstream: false })
  })

  it.each(['auth', 'quota', 'flags'] as const)('of tenant-%s is for that stage alone', (name) => {
    expect([...readConfig(name, kongs).parts]).toEqual([name])
  })

  it("takes Lua's null for a field that is not there", () => {
    expect([...readConfig('gate', { ...kongs, stages: null, set_consumer: null }).parts]).toHaveLength(3)
  })

  it.each<[MarkName, Record<string, unknown>, string]>([
    ['gate', { stages: ['auth', 'everything'] }, '`stages`'],
    ['gate', { stages: [] }, '`stages`'],
    ['gate', { stages: 'auth' }, '`stages`'],
    ['gate', { set_consumer: 'yes' }, '`set_consumer`'],
    ['gate', { stage: ['auth'] }, '`stage`'],
    ['auth', { set_upstream: true }, '`set_upstream`'],
    ['quota', { stages: ['quota'] }, '`stages`'],
    ['flags', { set_consumer: true }, '`set_consumer`'],
  ])('of tenant-%s as %j is refused by the field', (name, config, field) => {
    expect(() => readConfig(name, { ...kongs, ...config })).toThrow(field)
  })

  it('is described field by field', () => {
    for (const field of Object.values(SCHEMAS).flat()) {
      for (const { description } of Object.values(field)) expect(description).toMatch(/^[A-Z].*\.$/)
    }
  })
})
