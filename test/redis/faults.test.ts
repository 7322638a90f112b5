/** A single Redis in trouble: what decisions say meanwhile, that they are as before by themselves, and that no limit is exceeded. */
import { startSingleRedis } from '../support/redis-nodes.ts'
import { describeFaults } from './matrix.ts'

describeFaults('a single Redis', startSingleRedis, 'single')
