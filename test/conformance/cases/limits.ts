/** Limits and quotas (L1, L2, L6). A case of steps begins with fresh limits, and the clock stands still at noon in UTC. */
import {
  ACME_KEY,
  ACME_READER,
  ANN_AT_ACME,
  ANN_AT_GLOBEX,
  ANN_WITH_ROLES,
  BOB_AT_ACME,
  INITECH_KEY,
  INITECH_SECOND,
  NOBODY,
  ORDER,
} from '../callers.ts'
import { type Expected, type Request, reaches, refused, type Step, type Topic, type Wanted } from '../case.ts'

/** initech's two limits: three at once and one each second; ten a day. */
const POLICIES = '"burst";q=3;w=3, "daily";q=10;w=86400'
/** Until midnight in New York. */
const TO_MIDNIGHT = 17 * 3600

type Headers = Readonly<Record<string, Wanted>>

/** The limit that binds, as every answer tells it in both forms. */
const told = (limit: string, q: number, r: number, t: number, policies = POLICIES): Headers => ({
  ratelimit: `"${limit}";r=${r};t=${t}`,
  'ratelimit-policy': policies,
  'x-ratelimit-limit': `${q}`,
  'x-ratelimit-remaining': `${r}`,
  'x-ratelimit-reset': `${t}`,
})
const admitted = (headers: Headers): Headers => ({ ...headers, 'retry-after': null })
const NOTHING_TOLD: Headers = {
  ratelimit: null,
  'ratelimit-policy': null,
  'x-ratelimit-limit': null,
  'x-ratelimit-remaining': null,
  'x-ratelimit-reset': null,
}

const READ: Request = { path: ORDER, as: 'initech key' }
/** It costs four. */
const WRITE: Request = { path: ORDER, method: 'POST', as: 'initech key' }
const INITECH = reaches('orders-stable', INITECH_KEY)

const overBurst = refused(429, 'rate_limited', {
  headers: { ...told('burst', 3, 0, 1), 'retry-after': '1' },
  body: {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too Many Requests',
    detail: 'Too many requests in a short time. Limit: burst.',
    violatedPolicies: ['burst'],
  },
})

const search = (as: Request['as'], expect: Expected, times = 1): Step => ({
  request: { path: '/v1/search', ...(as && { as }) },
  expect,
  times,
})
const overSearch = refused(429, 'rate_limited', { body: { violatedPolicies: ['per-user'] } })

const VISIT: Request = { path: '/status/1' }
const VISITOR = reaches('orders-stable', NOBODY)
const overVisits = refused(429, 'rate_limited', {
  headers: { ...told('visitors', 2, 0, 30, '"visitors";q=2;w=60'), 'retry-after': '30' },
  body: { violatedPolicies: ['visitors'] },
})

/** A key of acme's, which has nothing but three requests a week; the week ends at midnight, since noon is a Sunday's. */
const METERED: Request = { path: ORDER, as: 'acme metered key' }
const LEFT: Request = { ...METERED, path: '/v1/left' }
const metered = (r: number) => told('metered', 3, r, 12 * 3600, '"metered";q=3;w=604800')
const left = (r: number) => ({ ...reaches('orders-stable', ACME_READER), headers: admitted(metered(r)) })
const overMetered = refused(429, 'quota_exceeded', {
  headers: { ...metered(0), 'retry-after': `${12 * 3600}` },
  body: { violatedPolicies: ['metered'], 'violated-policies': ['metered'] },
})

const REPORT: Request = { path: '/v1/reports', as: 'acme key' }
const REPORT_POLICIES = '"hurry";q=3;w=60, "monthly";q=2;w=2592000'
/** From 22 November at noon to 15 December. */
const TO_THE_15TH = 22.5 * 86_400
const monthly = (r: number) => told('monthly', 2, r, TO_THE_15TH, REPORT_POLICIES)

export const limits: Topic = {
  title: 'limits',
  cases: [
    {
      shows: 'L6',
      name: 'an allowed answer tells of the limit that binds, and of all policies',
      steps: [
        { request: READ, expect: { ...INITECH, headers: admitted(told('burst', 3, 2, 1)) } },
        { request: READ, expect: { ...INITECH, headers: admitted(told('burst', 3, 1, 2)) } },
      ],
    },
    {
      shows: 'L1',
      name: 'a burst is over at the fourth request',
      steps: [
        { request: READ, expect: INITECH, times: 3 },
        { request: READ, expect: overBurst, times: 2 },
      ],
    },
    {
      shows: 'L1',
      name: "a tenant's keys share its bucket",
      steps: [
        { request: READ, expect: INITECH, times: 2 },
        { request: { path: ORDER, as: 'initech second key' }, expect: reaches('orders-stable', INITECH_SECOND) },
        { request: { path: ORDER, as: 'initech second key' }, expect: overBurst },
      ],
    },
    {
      shows: 'L1',
      name: 'an exhausted tenant is nobody else’s trouble',
      steps: [
        { request: READ, expect: INITECH, times: 3 },
        { request: READ, expect: overBurst },
        {
          request: { path: ORDER, as: 'ann at globex token' },
          expect: { ...reaches('orders-stable', ANN_AT_GLOBEX), headers: { ratelimit: '"burst";r=999;t=1' } },
        },
        { request: { path: ORDER, as: 'acme key' }, expect: reaches('orders-beta', ACME_KEY) },
      ],
    },
    {
      shows: 'L2',
      name: 'a daily quota is used up by a dear route, and ends at midnight where the tenant is',
      steps: [
        { request: WRITE, expect: { ...INITECH, headers: admitted(told('burst', 3, 2, 1)) } },
        { request: WRITE, expect: { ...INITECH, headers: admitted(told('burst', 3, 1, 2)) } },
        {
          request: WRITE,
          expect: refused(429, 'quota_exceeded', {
            headers: { ...told('daily', 10, 2, TO_MIDNIGHT), 'retry-after': `${TO_MIDNIGHT}` },
            body: {
              type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
              detail: 'The quota of this period is used up. Limit: daily.',
              violatedPolicies: ['daily'],
            },
          }),
        },
      ],
    },
    {
      shows: 'L1',
      name: 'all or none: what the quota refuses takes nothing from the burst',
      steps: [
        { request: WRITE, expect: INITECH, times: 2 },
        { request: WRITE, expect: refused(429, 'quota_exceeded'), times: 3 },
        { request: READ, expect: { ...INITECH, headers: admitted(told('burst', 3, 0, 3)) } },
      ],
    },
    {
      shows: 'L1',
      name: 'two limits without room: both are named, and the wait is the longer one',
      steps: [
        { request: WRITE, expect: INITECH, times: 2 },
        { request: READ, expect: INITECH },
        {
          request: WRITE,
          expect: refused(429, 'quota_exceeded', {
            headers: { ...told('daily', 10, 1, TO_MIDNIGHT), 'retry-after': `${TO_MIDNIGHT}` },
            body: { violatedPolicies: ['daily', 'burst'] },
          }),
        },
      ],
    },
    {
      shows: 'ruling 7',
      name: 'only admitted requests are charged: refusals for other reasons cost nothing',
      steps: [
        { request: { ...READ, host: 'acme.api.example.com' }, expect: refused(403, 'tenant_conflict'), times: 4 },
        { request: { ...READ, path: '/v1/audit' }, expect: refused(403, 'insufficient_role'), times: 4 },
        { request: { ...READ, path: '/v1/nothing' }, expect: refused(403, 'no_matching_route'), times: 4 },
        { request: { ...READ, path: '/v1/orders/../1' }, expect: refused(400, 'malformed_request'), times: 4 },
        { request: READ, expect: { ...INITECH, headers: admitted(told('burst', 3, 2, 1)) } },
      ],
    },
    {
      shows: 'L6',
      name: 'a refusal before the limits tells nothing of them',
      steps: [
        {
          request: { ...READ, path: '/v1/audit' },
          expect: refused(403, 'insufficient_role', { headers: NOTHING_TOLD }),
        },
      ],
    },
    {
      shows: 'ruling 5',
      name: "the host alone charges nobody: an anonymous route leaves the host's tenant its bucket",
      steps: [
        {
          request: { path: '/healthz', host: 'initech.api.example.com' },
          expect: { ...reaches('orders-stable', { 'x-tenant-id': 'initech' }), headers: NOTHING_TOLD },
          times: 5,
        },
        { request: READ, expect: { ...INITECH, headers: admitted(told('burst', 3, 2, 1)) } },
      ],
    },
    {
      shows: 'T5',
      name: "a tenant's own limit stands in the place of the plan's",
      steps: [
        {
          request: { path: ORDER, as: 'ann at globex token' },
          expect: {
            ...reaches('orders-stable', ANN_AT_GLOBEX),
            headers: { 'ratelimit-policy': '"burst";q=1000;w=20, "daily";q=50000;w=86400' },
          },
        },
      ],
    },
    {
      shows: 'T5',
      name: 'an unlimited tenant is told of no limit',
      request: { path: ORDER, as: 'acme key' },
      expect: { ...reaches('orders-beta', ACME_KEY), headers: NOTHING_TOLD },
    },
    {
      shows: 'T5',
      name: 'a key with a limit of its own is held to it, and its tenant’s other keys are not',
      steps: [
        {
          request: { path: ORDER, as: 'acme narrow key' },
          expect: {
            ...reaches('orders-beta', ACME_READER),
            headers: admitted(told('narrow', 2, 1, 30, '"narrow";q=2;w=60')),
          },
        },
        { request: { path: ORDER, as: 'acme narrow key' }, expect: reaches('orders-beta', ACME_READER) },
        {
          request: { path: ORDER, as: 'acme narrow key' },
          expect: refused(429, 'rate_limited', {
            headers: { ...told('narrow', 2, 0, 30, '"narrow";q=2;w=60'), 'retry-after': '30' },
            body: { violatedPolicies: ['narrow'] },
          }),
          times: 2,
        },
        { request: { path: ORDER, as: 'acme reader key' }, expect: reaches('orders-beta', ACME_READER), times: 3 },
      ],
    },
    {
      shows: 'L1',
      name: 'by user: each has a bucket, whichever token is shown',
      steps: [
        search('ann at acme token', {
          ...reaches('orders-stable', ANN_WITH_ROLES),
          headers: admitted(told('per-user', 2, 1, 30, '"per-user";q=2;w=60')),
        }),
        search('ann at acme second token', reaches('orders-stable', ANN_AT_ACME)),
        search('ann at acme token', overSearch),
        search('ann by alias token', overSearch),
        search('bob at acme token', reaches('orders-stable', BOB_AT_ACME), 2),
        search('bob at acme token', overSearch),
      ],
    },
    {
      shows: 'L1',
      name: 'by user: the same name at another tenant is another user',
      steps: [
        search('ann at acme token', reaches('orders-stable', ANN_WITH_ROLES), 2),
        search('ann at acme token', overSearch),
        search('ann at globex token', reaches('orders-stable', ANN_AT_GLOBEX), 2),
        search('ann at globex token', overSearch),
      ],
    },
    {
      shows: 'L1',
      name: 'by user: a key, which has none, is its own',
      steps: [
        search('acme key', reaches('orders-stable', ACME_KEY), 2),
        search('acme key', overSearch),
        search('bob at acme token', reaches('orders-stable', BOB_AT_ACME)),
      ],
    },
    {
      shows: 'L1',
      name: 'by address: the third visit is refused, and a forwarded address is not believed',
      steps: [
        { request: VISIT, expect: VISITOR, times: 2 },
        { request: VISIT, expect: overVisits },
        {
          request: { ...VISIT, headers: ['X-Forwarded-For: 203.0.113.9', 'X-Real-Ip: 203.0.113.9'] },
          expect: overVisits,
        },
        { request: { ...VISIT, headers: ['Forwarded: for=203.0.113.9'] }, expect: overVisits },
        { request: { ...VISIT, as: 'acme key' }, expect: overVisits },
      ],
    },
    {
      shows: 'L1',
      name: 'by address: another address has visits of its own',
      steps: [
        { request: VISIT, expect: VISITOR, times: 2 },
        { request: VISIT, expect: overVisits },
        { request: { ...VISIT, from: '127.0.0.2' }, expect: VISITOR, times: 2 },
        { request: { ...VISIT, from: '127.0.0.2' }, expect: overVisits },
      ],
    },
    {
      shows: 'L6',
      name: 'a limit that is not exposed refuses without its name and numbers',
      steps: [
        {
          request: { path: '/v1/hidden', as: 'acme key' },
          expect: { ...reaches('orders-stable', ACME_KEY), headers: NOTHING_TOLD },
        },
        {
          request: { path: '/v1/hidden', as: 'acme key' },
          expect: refused(429, 'rate_limited', {
            headers: { ...NOTHING_TOLD, 'retry-after': '60' },
            body: { detail: 'Too many requests in a short time.', violatedPolicies: [] },
          }),
        },
      ],
    },
    {
      shows: 'L6',
      name: 'a hidden limit beside a shown one refuses without its name and numbers, and without those of the other',
      steps: [
        {
          request: { path: '/v1/half-hidden', as: 'acme key' },
          expect: {
            ...reaches('orders-stable', ACME_KEY),
            headers: admitted(told('shown', 3, 2, 20, '"shown";q=3;w=60')),
          },
        },
        {
          request: { path: '/v1/half-hidden', as: 'acme key' },
          expect: refused(429, 'rate_limited', {
            headers: { ...NOTHING_TOLD, 'ratelimit-policy': '"shown";q=3;w=60', 'retry-after': '60' },
            body: { violatedPolicies: [], 'violated-policies': [] },
          }),
        },
      ],
    },
    {
      shows: 'L2',
      name: 'a weekly quota ends when Monday begins',
      steps: [
        { request: METERED, expect: { ...reaches('orders-beta', ACME_READER), headers: admitted(metered(2)) } },
        { request: METERED, expect: reaches('orders-beta', ACME_READER), times: 2 },
        { request: METERED, expect: overMetered, times: 2 },
      ],
    },
    {
      shows: 'L2',
      name: 'a route that costs nothing takes nothing from a quota, and is let through where all of it is used',
      steps: [
        { request: LEFT, expect: left(3), times: 4 },
        { request: METERED, expect: reaches('orders-beta', ACME_READER), times: 3 },
        { request: LEFT, expect: left(0), times: 2 },
        { request: METERED, expect: overMetered },
      ],
    },
    {
      shows: 'L2',
      name: 'a monthly quota ends on the billing day; of two limits only the one without room is named',
      steps: [
        { request: REPORT, expect: { ...reaches('orders-stable', ACME_KEY), headers: admitted(monthly(1)) } },
        { request: REPORT, expect: { ...reaches('orders-stable', ACME_KEY), headers: admitted(monthly(0)) } },
        {
          request: REPORT,
          expect: refused(429, 'quota_exceeded', {
            headers: { ...monthly(0), 'retry-after': `${TO_THE_15TH}` },
            body: {
              type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
              detail: 'The quota of this period is used up. Limit: monthly.',
              violatedPolicies: ['monthly'],
              'violated-policies': ['monthly'],
            },
          }),
        },
      ],
    },
    {
      shows: 'L1',
      name: 'HEAD is charged like GET',
      steps: [
        { request: { ...READ, method: 'HEAD' }, expect: INITECH, times: 3 },
        { request: READ, expect: overBurst },
      ],
    },
  ],
}
