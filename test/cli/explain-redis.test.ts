/** `explain` by what stands in a real Redis: policy, tenants, keys that were issued, and what was revoked. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { createFolder, type Folder, run } from './serving.ts'

let redis: RedisServer
let folder: Folder
const url = () => `${redis.url}?prefix=${redis.place.prefix}`

beforeEach(async () => {
  redis = await startRedis({ own: true })
  folder = createFolder()
})
afterEach(async () => {
  await redis.stop()
  folder.remove()
})

const explain = (where: readonly string[], key: string) =>
  run(['explain', ...where, '--host', 'x', '--path', '/v1/orders/1', '-H', `x-api-key: ${key}`])

it('tells what instances would decide, also of a key that was issued there, until it is revoked', async () => {
  expect(await run(['tenants', 'import', folder.policyFile, '--redis', url()])).toMatchObject({ code: 0 })
  for (const where of [
    ['--redis', url()],
    ['--policy', url()],
  ]) {
    const told = await explain(where, folder.key)
    expect([told.code, told.stderr]).toEqual([0, ''])
    expect(told.stdout).toMatch(/^tenant +acme.*\n(.*\n)*limits .*\[fresh buckets\]\n/m)
  }
  const create = ['keys', 'create', '--tenant', 'acme', '--scopes', 'orders:read', '--redis', url(), '--json']
  const { key, id } = JSON.parse((await run(create)).stdout)
  expect((await explain(['--redis', url()], key)).code).toBe(0)
  expect(await run(['keys', 'revoke', '--tenant', 'acme', '--id', id, '--redis', url()])).toMatchObject({ code: 0 })
  expect(await explain(['--redis', url()], key)).toMatchObject({
    code: 3,
    stdout: expect.stringContaining('401 revoked_credential'),
  })
})

it('says what is missing where nothing was imported, and where nobody listens', async () => {
  expect(await explain(['--redis', url()], folder.key)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('there is no policy below'),
  })
  await redis.kill()
  expect(await explain(['--redis', url()], folder.key)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^tenantgate: explain: redis:\/\/127\.0\.0\.1:\d+: nobody listens there\n$/),
  })
})

it('has no use for a state file there', async () => {
  const told = await explain(['--redis', url(), '--state', 'f'], folder.key)
  expect([told.code, told.stderr]).toEqual([2, expect.stringContaining('--state is for --policy FILE')])
})
