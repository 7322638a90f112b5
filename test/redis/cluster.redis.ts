/** A cluster of three primaries with a replica each, in trouble. */
import { startRedisCluster } from '../support/redis-cluster.ts'
import { describeFaults } from './matrix.ts'

describeFaults('a cluster', startRedisCluster, 'cluster')
