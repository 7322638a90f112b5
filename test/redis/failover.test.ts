/** A node that takes writes dies, and another takes over: once in a real cluster, once under real sentinels. */
import { startRedisCluster } from '../support/redis-cluster.ts'
import { startRedisSentinels } from '../support/redis-sentinel.ts'
import { describeFaults } from './matrix.ts'

const DEATH = ['kill -9, and a start with nothing']

describeFaults('a cluster fails over', startRedisCluster, 'cluster', DEATH)
describeFaults('sentinels fail over', startRedisSentinels, 'sentinel', DEATH)
