/** What Kong reads of a plugin before it starts. */
import { expect, it } from 'vitest'
import { describePlugin } from '../../../kong/plugin-server/describe.ts'
import { pluginOf } from './running.ts'

it('a plugin is described with its name, priority, the phases that it has, and its schema', () => {
  const module = { ...pluginOf(async () => {}), Schema: [{ stages: { type: 'set' } }] }
  expect(describePlugin('tenant-gate', module)).toEqual({
    Protocol: 'ProtoBuf:1',
    Plugins: [
      {
        Name: 'tenant-gate',
        Version: '0.1.0',
        Priority: 1240,
        Phases: ['access'],
        Schema: {
          name: 'tenant-gate',
          fields: [{ config: { type: 'record', fields: [{ stages: { type: 'set' } }] } }],
        },
      },
    ],
  })
})
