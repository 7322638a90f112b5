/** `tenantgate usage` against a real administration and a real Redis: a table for people, JSON for programs, wrong use told. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { usage } from '../../../cli/usage/usage.ts'
import type { Use } from '../../../core/usage.ts'
import { openRedis } from '../../../stores/redis/connection.ts'
import { createRedisKeeper } from '../../../stores/redis/usage/keeper.ts'
import { createJournal } from '../../../stores/usage/journal.ts'
import { type Administration, administration, TOKEN } from '../../admin/administration.ts'
import { said } from '../../support/command.ts'
import { NOON } from '../../support/gate.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'

const HOUR = 3_600_000
const use = (more: Partial<Use> = {}): Use => ({
  tenant: 'acme',
  credential: 'ci',
  route: 'orders',
  outcome: 'allowed',
  ...more,
})
const RANGE = ['--from', '2026-11-21', '--until', '2026-11-22T13:00:00Z']
const cellsOf = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/))

describe('usage of a running service', () => {
  let admin: Administration
  beforeEach(async () => {
    admin = await administration()
  })
  afterEach(() => admin.close())

  const run = (...argv: string[]) =>
    said(usage, [...argv, '--server', `http://127.0.0.1:${admin.port}`], { TENANTGATE_ADMIN_TOKEN: TOKEN })

  it('is a line for each credential, route and outcome of each hour', async () => {
    admin.usage.count(use(), NOON)
    admin.usage.count(use({ credential: '', route: '', outcome: 'rate_limited' }), NOON - HOUR)
    const { code, stdout } = await run('--tenant', 'acme', '--per', 'hour', ...RANGE)
    expect(code).toBe(0)
    expect(cellsOf(stdout)).toEqual([
      ['hour', 'credential', 'route', 'outcome', 'requests'],
      ['2026-11-22T11:00Z', '(none)', '(none)', 'rate_limited', '1'],
      ['2026-11-22T12:00Z', 'ci', 'orders', 'allowed', '1'],
    ])
  })

  it('is JSON for programs, of all parts of a long answer', async () => {
    for (let hours = 0; hours < 30; hours++) {
      for (let index = 0; index < 500; index++) {
        admin.usage.count(use({ credential: `c${index}` }), NOON - hours * HOUR)
      }
    }
    const { stdout } = await run('--tenant', 'acme', '--per', 'hour', '--json', ...RANGE)
    const { tenant, per, lines } = JSON.parse(stdout)
    expect([tenant, per, lines.length]).toEqual(['acme', 'hour', 15_000])
    expect(new Set(lines.map((line: object) => JSON.stringify(line))).size).toBe(15_000)
  })

  it('of nobody is told apart, and none is said to be none', async () => {
    admin.usage.count(use({ tenant: '', credential: '', outcome: 'missing_credential' }), NOON)
    expect((await run('--nobody', ...RANGE)).stdout).toContain('missing_credential')
    expect(await run('--tenant', 'acme', ...RANGE)).toEqual({ code: 0, stdout: 'no usage\n', stderr: '' })
  })

  it('lets no name steer the terminal', async () => {
    admin.usage.count(use({ credential: '\u001b[2J\u202e' }), NOON)
    expect((await run('--tenant', 'acme', ...RANGE)).stdout).toContain('\\u{1b}[2J\\u{202e}')
  })

  it('that cannot be had is told in words', async () => {
    expect(await run('--tenant', 'acme', '--per', 'hour', '--from', '2020-01-01')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('from: at most 744 hours are told at once'),
    })
  })
})

describe('usage in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  it('is what instances have written', async () => {
    const connection = openRedis(server.place)
    await until(() => connection.isUp() || undefined)
    const journal = createJournal(createRedisKeeper(connection, { randomBytes }), () => NOON)
    for (let times = 0; times < 3; times++) journal.count(use(), NOON)
    await journal.flush()
    await connection.close()
    const redis = `${server.url}?prefix=${server.place.prefix}`
    const { code, stdout } = await said(usage, ['--tenant', 'acme', '--redis', redis, ...RANGE])
    expect(code).toBe(0)
    expect(cellsOf(stdout)[1]).toEqual(['2026-11-22', 'ci', 'orders', 'allowed', '3'])
  })

  it('that is not there is told in words', async () => {
    const { code, stderr } = await said(usage, ['--tenant', 'acme', '--redis', 'redis://127.0.0.1:1'])
    expect([code, stderr]).toEqual([1, 'tenantgate: usage: redis://127.0.0.1:1: nobody listens there\n'])
  })
})

describe('wrong use', () => {
  it.each([
    [[], 'give --tenant TENANT, or --nobody'],
    [['--tenant', 'acme', '--nobody'], 'give --tenant TENANT, or --nobody'],
    [['--tenant', 'Not One'], "--tenant 'Not One' is not a tenant id"],
    [['--tenant', 'acme'], 'give --server URL or --redis URL'],
    [['--tenant', 'acme', '--server', 'http://127.0.0.1:1', '--redis', 'redis://h'], 'not both'],
    [['--tenant', 'acme', '--per', 'week'], "--per is hour or day, not 'week'"],
    [
      ['--tenant', 'acme', '--from', 'yesterday'],
      "--from is written 2026-11-22T12:00:00Z or 2026-11-22, not 'yesterday'",
    ],
    [['acme'], "'acme' is no option"],
    [['--tennant', 'acme'], 'did you mean --tenant?'],
  ])('%j: %s', async (argv, words) => {
    const { code, stderr, stdout } = await said(usage, argv)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(words)
  })

  it('is not that of --help', async () => {
    expect(await said(usage, ['--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: tenantgate usage'),
    })
  })
})
