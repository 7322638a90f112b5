/** Whom a limit counts by (L1), where it is more than one thing or what a client writes. Each case begins with fresh limits. */
import { ACME_KEY, ANN_AT_METERED, BOB_AT_METERED, METERED_KEY, ORDER } from '../callers.ts'
import { type Expected, type Request, reaches, refused, type Step, type Topic } from '../case.ts'

const TEAMS: Request = { path: '/v1/teams', as: 'acme key' }
const ADMITTED = reaches('orders-stable', ACME_KEY)
const OVER = refused(429, 'rate_limited', { body: { violatedPolicies: ['of-team'] } })
const team = (headers: readonly string[], expect: Expected, more: Partial<Request> = {}, times = 1): Step => ({
  request: { ...TEAMS, headers, ...more },
  expect,
  times,
})

const overCaller = refused(429, 'rate_limited', { body: { violatedPolicies: ['per-caller'] } })
const overTeam = refused(429, 'rate_limited', { body: { violatedPolicies: ['per-team'] } })
const at = (path: string, as: NonNullable<Request['as']>, expect: Expected, times = 1): Step => ({
  request: { path, as },
  expect,
  times,
})
const THINGS = '/v1/things/a/b'
const KEY = reaches('orders-stable', METERED_KEY)
const ANN = reaches('orders-stable', ANN_AT_METERED)
const BOB = reaches('orders-stable', BOB_AT_METERED)

export const countedBy: Topic = {
  title: 'whom a limit counts by',
  cases: [
    {
      shows: 'L1',
      name: 'by a header and the address: another of either has a bucket of its own',
      steps: [
        team(['X-Team: blue'], ADMITTED, {}, 2),
        team(['x-team: blue'], OVER),
        team(['X-Team: red'], ADMITTED),
        team(['X-Team: blue'], ADMITTED, { from: '127.0.0.2' }),
      ],
    },
    {
      shows: 'L1',
      name: 'by a header: sent twice, it is the one value that its lines are together',
      steps: [
        team(['X-Team: blue'], ADMITTED, {}, 2),
        team(['X-Team: blue', 'X-Team: red'], ADMITTED),
        team(['X-Team: blue,red'], ADMITTED),
        team(['X-Team: blue', 'X-Team: red'], OVER),
        team(['X-Team: red'], ADMITTED),
      ],
    },
    {
      shows: 'L1',
      name: 'by a header: its twin with an underscore is not it, whatever it says',
      steps: [
        team(['X-Team: blue'], ADMITTED, {}, 2),
        team(['X-Team: blue', 'X_Team: red'], OVER),
        team(['X_Team: red'], ADMITTED),
        team([], ADMITTED),
        team(['X_Team: green'], OVER),
      ],
    },
    {
      shows: 'L1',
      name: 'by credential and route: another of either has a bucket of its own',
      steps: [
        at(ORDER, 'metered key', KEY, 2),
        at('/v1/orders/2', 'metered key', overCaller),
        at(THINGS, 'metered key', KEY, 2),
        at(ORDER, 'metered second key', KEY),
      ],
    },
    {
      shows: 'L1',
      name: 'by a claim and the route: all users of a team share a bucket for each route',
      steps: [
        at(ORDER, 'ann of blue token', ANN, 2),
        at(ORDER, 'bob of blue token', BOB),
        at(ORDER, 'bob of blue token', overTeam),
        at(ORDER, 'bob of red token', BOB),
        at(THINGS, 'bob of blue token', BOB),
      ],
    },
  ],
}
