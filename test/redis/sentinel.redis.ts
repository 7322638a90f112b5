/** A primary and its replica, watched by three sentinels, in trouble. */
import { startRedisSentinels } from '../support/redis-sentinel.ts'
import { describeFaults } from './matrix.ts'

describeFaults('what sentinels watch', startRedisSentinels, 'sentinel')
