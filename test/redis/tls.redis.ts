/** With TLS everywhere: a node that takes writes dies, and its successor is found and believed. */
import { afterAll, beforeAll, describe } from 'vitest'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { startRedisSentinels } from '../support/redis-sentinel.ts'
import { createRedisTls, type RedisTls, whyNoRedisTls } from '../support/redis-tls.ts'
import { describeFaults } from './matrix.ts'

const why = await whyNoRedisTls()
const DEATH = ['kill -9, and a start with nothing']

// some builds of redis-server have no TLS; the title says why
describe.skipIf(why !== undefined)(`with TLS${why === undefined ? '' : ` (${why})`}`, () => {
  let tls: RedisTls
  beforeAll(() => {
    tls = createRedisTls()
  })
  afterAll(() => tls?.remove())
  describeFaults('a cluster fails over', () => startRedisCluster({ tls }), 'cluster', DEATH)
  describeFaults('sentinels fail over', () => startRedisSentinels({ tls }), 'sentinel', DEATH)
})
