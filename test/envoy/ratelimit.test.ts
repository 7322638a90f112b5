/** A real Envoy's ratelimit filter, behind our own Check: its limits are those of a configuration, or of the policy. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { packageRoot } from '../../package-root.ts'
import { newKey } from '../support/gate.ts'
import { referenceWith } from '../support/guarded-envoy.ts'
import {
  always,
  fromCheck,
  type LimitedEnvoy,
  referenceWithFilter,
  startLimitedEnvoy,
} from '../support/limited-envoy.ts'
import { ratelimitConfigOf } from '../support/ratelimit-config.ts'

const keys = { acme: newKey(), globex: newKey() }

const policy = `version: 1
identity: { sources: [apiKey] }
plans:
  free: { limits: [{ name: daily, quota: 3/day }] }
  pro: { limits: [{ name: bytes, quota: 1000/day, unit: content-bytes, expose: false }] }
tenants:
  acme: { plan: pro, apiKeys: [{ id: ci, hash: "${keys.acme.hash}" }] }
  globex: { plan: free, apiKeys: [{ id: ci, hash: "${keys.globex.hash}" }] }
upstreams: [orders-stable]
routes:
  - { name: all, match: { path: /** }, upstream: { default: orders-stable } }
`

const byPlan = ratelimitConfigOf(`domain: edge
descriptors:
  - key: plan
    value: pro
    descriptors:
      - key: tenant
        rate_limit: { name: by-plan, unit: hour, requests_per_unit: 2 }
  - key: plan
    value: free
`)

let envoy: LimitedEnvoy | undefined
afterEach(async () => {
  await envoy?.stop()
  envoy = undefined
})

async function start(filter: object, before?: Parameters<typeof referenceWithFilter>[1]): Promise<LimitedEnvoy> {
  envoy = await startLimitedEnvoy(policy, referenceWithFilter(filter, before))
  envoy.hits.replace(byPlan)
  return envoy
}

const as = (tenant: keyof typeof keys, path = '/v1') => ({ path, headers: { 'x-api-key': keys[tenant].key } })

describe('limits of a configuration', () => {
  it('go by the plan and the tenant that the Check has found, and the client is told of them', async () => {
    const { ask } = await start({
      domain: 'edge',
      enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
      enable_retry_after_header: true,
      rate_limits: [{ actions: fromCheck('plan', 'tenant') }],
    })
    expect((await ask(as('acme'))).headers['x-ratelimit-remaining']).toBe('1')
    expect((await ask(as('acme'))).status).toBe(200)
    const refused = await ask(as('acme'))
    expect(refused).toMatchObject({
      status: 429,
      backend: undefined,
      headers: {
        'x-ratelimit-limit': '2, 2;w=3600;name="by-plan"',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '3600',
        'retry-after': '3600',
      },
    })
    for (let i = 0; i < 3; i += 1) expect((await ask(as('globex'))).status).toBe(200)
  })

  it('may come with the request, from metadata of another filter', async () => {
    const metadata = { metadata_namespace: 'own', value: { limit: { requests_per_unit: 1, unit: 'HOUR' } } }
    const before = {
      name: 'envoy.filters.http.set_metadata',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config',
        metadata: [metadata],
      },
    }
    const { ask, asked } = await start(
      {
        domain: 'edge',
        rate_limits: [
          {
            actions: fromCheck('tenant'),
            limit: { dynamic_metadata: { metadata_key: { key: 'own', path: [{ key: 'limit' }] } } },
          },
        ],
      },
      [before],
    )
    expect([(await ask(as('acme'))).status, (await ask(as('acme'))).status]).toEqual([200, 429])
    expect(asked[0]?.descriptors[0]?.limit).toEqual({ requestsPerUnit: 1, unit: 'hour' })
  })

  it('may change under load, and no request is lost', async () => {
    const { ask, hits } = await start({ domain: 'edge', rate_limits: [{ actions: fromCheck('plan', 'tenant') }] })
    const more = ratelimitConfigOf(
      'domain: edge\ndescriptors: [{ key: plan, descriptors: [{ key: tenant, rate_limit: { unit: hour, requests_per_unit: 999 } }] }]',
    )
    const statuses: number[] = []
    for (let round = 0; round < 10; round += 1) {
      hits.replace(more)
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(as('acme'))))
      statuses.push(...answers.map(({ status }) => status))
    }
    expect(new Set(statuses)).toEqual(new Set([200]))
    hits.replace(byPlan)
    // another limit of the same descriptor goes on from what was counted
    expect((await ask(as('acme'))).status).toBe(429)
  })
})

describe('limits of the policy, in the domain tenantgate', () => {
  it('bind a plain filter, in the buckets of Checks', async () => {
    const { ask } = await start({ domain: 'tenantgate', rate_limits: [{ actions: fromCheck('tenant') }] })
    // a Check and a filter for each request: three a day are one and a half requests
    expect((await ask(as('globex'))).status).toBe(200)
    expect((await ask(as('globex'))).status).toBe(429)
  })

  it('count the bytes of an answer when it has been sent, and refuse the next Check', async () => {
    envoy = await startLimitedEnvoy(policy, referenceWith(['ratelimit']))
    const { ask, asked, askedTimes } = envoy
    let answers = 0
    let bytes = 0
    while (bytes < 1000) {
      const { status, body } = await ask(as('acme'))
      expect(status).toBe(200)
      bytes += body.length
      answers += 1
      await askedTimes(answers)
    }
    expect(await ask(as('acme'))).toMatchObject({ status: 429, json: { code: 'quota_exceeded' } })
    const counted = asked.slice(0, answers).reduce((sum, { descriptors }) => sum + (descriptors[0]?.hits ?? 0), 0)
    expect(counted).toBe(bytes)
  })

  it('get back what a response gives back', async () => {
    const { ask, asked, askedTimes } = await start({
      domain: 'tenantgate',
      rate_limits: [
        {
          apply_on_stream_done: true,
          hits_addend: { number: 1, is_negative_hits: true },
          actions: fromCheck('tenant'),
        },
      ],
    })
    for (let i = 1; i <= 6; i += 1) {
      expect((await ask(as('globex'))).status).toBe(200)
      await askedTimes(i)
    }
    expect(asked[0]?.descriptors[0]?.hits).toBe(-1)
  })

  it('get back the requests that fail, by the filter that ratelimit.md shows', async () => {
    const [, text = ''] =
      /### Refunds[\s\S]*?\n\n((?: {4}.*\n)+)/.exec(readFileSync(join(packageRoot, 'docs/ratelimit.md'), 'utf8')) ?? []
    const { typed_config: filter } = parse(text)
    // well for the gateway's checks, or stable would serve in its place
    const failing = createServer(({ url }, response) => response.writeHead(url === '/healthz' ? 200 : 500).end())
    await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve))
    const failed = policy.replace('stable]', 'stable, orders-beta]').replace(
      'routes:',
      `routes:
  - { name: failing, match: { path: /failing }, upstream: { default: orders-beta } }`,
    )
    const { port } = failing.address() as AddressInfo
    envoy = await startLimitedEnvoy(failed, referenceWithFilter({ ...filter, timeout: '2s' }), { 'orders-beta': port })
    const { ask, askedTimes } = envoy
    try {
      const statuses: number[] = []
      for (let i = 1; i <= 8; i += 1) {
        const { status } = await ask(as('globex', i <= 4 ? '/failing' : '/v1'))
        statuses.push(status)
        if (status !== 429) await askedTimes(i)
      }
      expect(statuses).toEqual([500, 500, 500, 500, 200, 200, 200, 429])
    } finally {
      failing.close()
    }
  })

  it('are not passed by through a slip of the pen: the filter is told, and refuses', async () => {
    const { ask } = await start({
      domain: 'tenantgate',
      status_on_error: { code: 'ServiceUnavailable' },
      rate_limits: [{ actions: [...fromCheck('tenant'), always('usr', 'u1')] }],
    })
    expect((await ask(as('acme'))).status).toBe(503)
  })
})

describe('a service that is away', () => {
  const away = {
    domain: 'edge',
    rate_limit_service: { transport_api_version: 'V3', grpc_service: { envoy_grpc: { cluster_name: 'refusing' } } },
    rate_limits: [{ actions: fromCheck('plan', 'tenant') }],
  }

  it('refuses with 503 as the filter is told, in the words of a refusal', async () => {
    const { ask } = await start({ ...away, status_on_error: { code: 'ServiceUnavailable' } })
    expect(await ask(as('acme'))).toMatchObject({
      status: 503,
      backend: undefined,
      json: { code: 'dependency_unavailable' },
    })
  })

  it('lets all through where the filter is told nothing: Envoy’s default', async () => {
    const { ask } = await start({ ...away, failure_mode_deny: false })
    expect((await ask(as('acme'))).status).toBe(200)
  })
})
