/** Instances that follow the policy in a Redis of their own, which may be flushed, frozen and killed. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Decision } from '../../core/decision.ts'
import { newKey } from './gate.ts'
import { type InstanceOptions, type RedisInstance, startInstance, type Writer, writerTo } from './redis-instance.ts'
import { openTestRedis, type TestRedis } from './test-redis.ts'
import { until } from './until.ts'

/** The key that `POLICY` gives to acme, and one that it does not know. */
export const CI = newKey()
export const OTHER = newKey()
const SECRET = 'a secret that is long enough for HS256'

export const policyWith = (
  tenants: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): string =>
  JSON.stringify({
    version: 1,
    identity: { sources: ['apiKey', 'clientCertificate'] },
    plans: { free: { limits: [] }, pro: { limits: [] } },
    tenants,
    routes: [{ name: 'all', match: { path: '/**' } }],
    ...more,
  })

export const ACME = { plan: 'free', apiKeys: [{ id: 'ci', hash: CI.hash }] }
/** The same with the other key. */
export const ACME_LIKE = { plan: 'free', apiKeys: [{ id: 'ci', hash: OTHER.hash }] }
export const POLICY = policyWith({ acme: ACME, globex: { plan: 'free' } })
/** What an instance cannot serve that does not have the secret; who writes has it. */
export const WITH_SECRET = {
  issuers: [
    {
      issuer: 'https://id.example.com',
      secret: { env: 'S' },
      audiences: ['a'],
      algorithms: ['HS256'],
      claims: { tenant: 't' },
    },
  ],
}

export const withKey = ({ key }: { readonly key: string }) => ({ headers: { 'x-api-key': key } })
export const issued = ({ hash }: { readonly hash: string }, tenant = 'globex') =>
  ({ kind: 'key', id: 'new', tenant, roles: [], scopes: [], hash: hash.slice('sha256:'.length) }) as const
export const REVOKED = { kind: 'revoked-credential', tenant: 'acme', id: 'ci' } as const

export interface FollowedRedis {
  readonly redis: TestRedis
  readonly writer: Writer
  instance(options?: InstanceOptions): Promise<RedisInstance>
  /** One that never hears a message. */
  deaf(options: InstanceOptions): Promise<RedisInstance>
}

/** For the tests of one file: `POLICY` stands there at the beginning of each. */
export function followedRedis(): FollowedRedis {
  let redis: TestRedis | undefined
  let writer: Writer | undefined
  const open: RedisInstance[] = []
  const theRedis = () => {
    if (!redis) throw new Error('unreachable: it was opened before all')
    return redis
  }
  const theWriter = () => {
    if (!writer) throw new Error('unreachable: it was made before each')
    return writer
  }
  beforeAll(async () => {
    redis = await openTestRedis({ own: true })
  })
  afterAll(() => redis?.close())
  beforeEach(async () => {
    await theRedis().connection.client.flushall()
    writer = writerTo(theRedis().connection, { S: SECRET })
    await writer.import(POLICY)
  })
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })

  async function started(connection: TestRedis['connection'], options?: InstanceOptions): Promise<RedisInstance> {
    const one = await startInstance(connection, options)
    open.push(one)
    return one
  }
  return {
    get redis() {
      return theRedis()
    },
    get writer() {
      return theWriter()
    },
    instance: async (options) => started(await theRedis().another(), options),
    async deaf(options) {
      const connection = await theRedis().another()
      const subscriber = () => {
        const client = connection.subscriber()
        client.disconnect()
        return client
      }
      return started({ ...connection, subscriber }, options)
    },
  }
}

/** The decision, once it is for that reason. */
export function decided(
  one: RedisInstance,
  key: { readonly key: string },
  reason: Decision['reason'],
): Promise<Decision> {
  return until(async () => {
    const decision = await one.ask(withKey(key))
    return decision.reason === reason ? decision : undefined
  })
}
