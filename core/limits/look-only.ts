/** A store of limits that tells how they stand, and that nothing changes. */
import type { LimitStore } from './limit.ts'

/** What is asked of it is looked up in `store`; a take is what it would be. */
export function lookOnly({ look, bucket, buckets }: LimitStore): LimitStore {
  return { take: look, look, bucket, buckets, adjust: look, reset: () => 0 }
}
