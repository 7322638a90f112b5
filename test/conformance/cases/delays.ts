/** A limit with a delay (L1). The clock that limits count by stands still at noon; who is held back waits in the time that passes. */
import { ACME_KEY } from '../callers.ts'
import { type Request, reaches, refused, type Topic } from '../case.ts'

/** One at once, ten each second, and none that would wait for more than 200 ms: two may. */
const PACED: Request = { path: '/v1/paced', as: 'acme key' }
const ADMITTED = reaches('orders-stable', ACME_KEY)
const TOLD = { ratelimit: '"paced";r=0;t=1', 'ratelimit-policy': '"paced";q=1;w=1', 'x-ratelimit-remaining': '0' }

export const delays: Topic = {
  title: 'delays',
  cases: [
    {
      shows: 'L1',
      name: 'what a limit delays is allowed, and told of its limits like any other',
      steps: [{ request: PACED, expect: { ...ADMITTED, headers: { ...TOLD, 'retry-after': null } }, times: 3 }],
    },
    {
      shows: 'L1',
      name: 'what would wait for too long is refused',
      steps: [
        { request: PACED, expect: ADMITTED, times: 3 },
        {
          request: PACED,
          expect: refused(429, 'rate_limited', {
            headers: { ...TOLD, 'retry-after': '1' },
            body: { violatedPolicies: ['paced'] },
          }),
          times: 2,
        },
      ],
    },
  ],
}
