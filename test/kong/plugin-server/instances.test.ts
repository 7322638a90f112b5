/** Which ids instances get, and which instance goes when there are too many. */
import { describe, expect, it } from 'vitest'
import { createInstances, type Instances } from '../../../kong/plugin-server/instances.ts'
import { pluginOf } from './running.ts'

function instancesOf({ firstId = 1000, most = 10 }): Instances {
  const plugins = new Map([['gate', pluginOf(() => {})]])
  return createInstances({ plugins, decide: undefined, firstId, most, onRejected: () => {} })
}

const startOne = (instances: Instances) => instances.start('gate', Buffer.from('{}')).id

describe('an id', () => {
  it('is never 0, which the wire cannot tell from none: after the largest int32 comes 1', () => {
    const instances = instancesOf({ firstId: 2 ** 31 - 2 })
    expect([1, 2, 3, 4].map(() => startOne(instances))).toEqual([2 ** 31 - 2, 2 ** 31 - 1, 1, 2])
  })

  it('is not given again while others are new, even when its instance is closed', () => {
    const instances = instancesOf({})
    instances.close(startOne(instances))
    expect(startOne(instances)).toBe(1001)
  })
})

describe('where there are more instances than may be', () => {
  it('the one goes that was not used for longest, not the one that was started first', () => {
    const instances = instancesOf({ most: 2 })
    const [first, second] = [startOne(instances), startOne(instances)]
    instances.get(first)
    const third = startOne(instances)
    expect([first, second, third].map((id) => instances.get(id)?.id)).toEqual([first, undefined, third])
  })

  it('it is the first where none was used', () => {
    const instances = instancesOf({ most: 2 })
    const ids = [startOne(instances), startOne(instances), startOne(instances)]
    expect(ids.map((id) => instances.get(id)?.id)).toEqual([undefined, ...ids.slice(1)])
  })
})
