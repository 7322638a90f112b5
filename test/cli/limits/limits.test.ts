/** `limits show|reset|credit` against a real administration: what is shown can be typed again, and wrong use is told. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../cli/limits/limits.ts'
import { type Administration, administration, TOKEN } from '../../admin/administration.ts'
import { said } from '../../support/command.ts'

const policy = (hash: string) => `version: 1
plans:
  pro:
    limits:
      - { name: daily, quota: 3/day }
      - { name: burst, rate: 5/s, burst: 10 }
      - { name: steady, rate: 7 per 30s, mode: shadow }
      - { name: per-team, quota: 1000/month, by: [header:x-team] }
tenants: { acme: { plan: pro, apiKeys: [{ id: ci, hash: "${hash}" }] } }
routes: [{ name: all, match: { path: /** }, limits: [{ name: daily, quota: 9/day, by: [user] }] }]
`

let admin: Administration

beforeEach(async () => {
  admin = await administration({ policy })
})

afterEach(() => admin.close())

const run = (...argv: string[]) => {
  const [verb = '', ...rest] = argv
  const where = ['--tenant', 'acme', '--server', `http://127.0.0.1:${admin.port}`]
  return said(limits, [verb, ...where, ...rest], { TENANTGATE_ADMIN_TOKEN: TOKEN })
}
const use = (team: string) => admin.use(admin.key, { headers: { 'x-team': team } })

describe('limits show', () => {
  it('is a line for each bucket, in the words of the policy', async () => {
    await use('blue')
    const { code, stdout } = await run('show')
    expect(code).toBe(0)
    const cells = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/))
    expect(cells).toEqual([
      ['limit', 'scope', 'allows', 'by', 'used', 'left', 'refused', 'full again'],
      ['daily', 'tenant', '3/day', '1', '2', '0', '2026-11-23T00:00:00.000Z'],
      ['burst', 'tenant', '5/s burst 10', '1', '9', '0', '2026-11-22T12:00:00.200Z'],
      ['steady (shadow)', 'tenant', '7 per 30s', '1', '6', '0', '2026-11-22T12:00:04.286Z'],
      ['per-team', 'tenant', '1000/month', 'header:x-team=blue', '1', '999', '0', '2026-12-01T00:00:00.000Z'],
      ['daily', 'route:all', '9/day', 'user=apiKey:ci', '1', '8', '0', '2026-11-23T00:00:00.000Z'],
    ])
  })

  it('is the answer as JSON for programs, and of one limit where that is asked', async () => {
    const { stdout } = await run('show', '--limit', 'daily', '--scope', 'tenant', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ tenant: 'acme', limits: [{ name: 'daily', buckets: [{ used: 0 }] }] })
  })

  it('says of a limit that nobody has used that it is unused, and that there are more than it shows', async () => {
    expect((await run('show', '--limit', 'per-team')).stdout).toContain('(unused)')
    for (const team of ['a', 'b', 'c']) await use(team)
    const { stdout } = await run('show', '--limit', 'per-team', '--most', '2')
    expect(stdout.split('\n')).toHaveLength(5)
    expect(stdout).toContain("'per-team' of tenant has more buckets: these are the 2 most used")
  })

  it('lets no client steer the terminal', async () => {
    await use('\u001b[2J\u202e')
    const { stdout } = await run('show')
    expect(stdout).toContain('header:x-team=\\u{1b}[2J\\u{202e}')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
  })
})

describe('limits credit and reset', () => {
  it('say what was used and left, what is, and what was really done', async () => {
    await use('a:b=c')
    const by = ['--by', 'header:X-Team=a:b=c']
    expect(await run('credit', '--limit', 'per-team', '--units', '1', ...by)).toEqual({
      code: 0,
      stdout:
        "'per-team' of acme, header:x-team=a:b=c: given back 1; used before 1, now 0; left before 999, now 1000\n",
      stderr: '',
    })
    expect((await run('credit', '--limit', 'daily', '--scope', 'tenant', '--units=-2')).stdout).toBe(
      "'daily' of acme: taken 2; used before 1, now 3; left before 2, now 0\n",
    )
    expect((await run('credit', '--limit', 'daily', '--scope', 'tenant', '--units=-200')).stdout).toBe(
      "'daily' of acme: taken 3 of 200; used before 3, now 6; left before 0, now 0\n",
    )
    expect((await run('credit', '--limit', 'daily', '--scope', 'tenant', '--units=100')).stdout).toBe(
      "'daily' of acme: given back 6 of 100; used before 6, now 0; left before 0, now 3\n",
    )
    expect((await run('reset', '--limit', 'daily', '--scope', 'tenant')).stdout).toBe(
      "'daily' of acme: full again; used before 0, now 0; left before 3, now 3\n",
    )
    expect((await run('reset', '--limit', 'daily', '--scope', 'route:all', '--all')).stdout).toBe(
      "'daily' of acme, route:all: 1 bucket is full again\n",
    )
    const json = await run('reset', '--limit', 'burst', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ action: 'reset', before: 9, after: 10 })
  })

  it.each<[string[], string]>([
    [
      ['reset', '--limit', 'dayly'],
      "acme has no limit 'dayly'; it has 'daily', 'burst', 'steady', 'per-team', 'daily' of",
    ],
    [['reset', '--limit', 'daily'], "say which by scope: 'tenant', 'route:all'. (ambiguous_limit)"],
    [['reset', '--limit', 'per-team'], "'per-team' counts by header:x-team: say whose bucket is meant"],
    [['reset', '--limit', 'per-team', '--by', 'user=u'], "not by 'user'"],
    [['show', '--tenant', 'nobody'], 'unknown_tenant'],
    [['show', '--scope', 'route:none'], "no limit of 'route:none'"],
  ])('what the service refuses is told, with exit code 1: %j', async (argv, words) => {
    const { code, stdout, stderr } = await run(...argv)
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(words)])
  })
})

describe('wrong use', () => {
  const server = ['--server', 'http://127.0.0.1:1']
  const acme = [...server, '--tenant', 'acme']
  it.each<[string[], string]>([
    [[], 'expected show, reset or credit'],
    [['constructor'], 'expected show, reset or credit'],
    [['show', ...server], '--tenant is missing'],
    [['show', '--tenant', 'acme'], '--server is missing'],
    [['show', '--tenant', '../x', ...server], "--tenant '../x' is not a tenant id"],
    [['show', ...acme, '--limit', 'a/b'], "--limit 'a/b' is not the name of a limit"],
    [['show', ...acme, '--scope', 'all'], '--scope is tenant, route:NAME or credential:ID'],
    [['show', ...acme, '--most', '0'], '--most is a number from 1 to 1000'],
    [['show', ...acme, '--limt', 'x'], 'did you mean --limit?'],
    [['show', '--tenant', 'acme', '--server', 'http://gateway.test'], 'on this machine'],
    [['reset', ...acme], '--limit is missing'],
    [['reset', ...acme, '--limit', 'x', '--all', '--by', 'user=u'], 'not both'],
    [['reset', ...acme, '--limit', 'x', '--by', 'user'], '--by is written NAME=VALUE'],
    [['reset', ...acme, '--limit', 'x', '--by', 'user=a', '--by', 'user=b'], '--by user is given twice'],
    [['credit', ...acme, '--limit', 'x'], '--units is missing'],
    [['credit', ...acme, '--limit', 'x', '--units', '1.5'], '--units is a whole number'],
    [['credit', ...acme, '--limit', 'x', '--units', '0'], '--units is a whole number'],
    [['credit', ...acme, '--limit', 'x', '--units', '1'.repeat(40)], '--units is a whole number'],
  ])('is told, with exit code 2: %j', async (argv, words) => {
    const { code, stdout, stderr } = await said(limits, argv, { TENANTGATE_ADMIN_TOKEN: TOKEN })
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  })

  it('help is no wrong use', async () => {
    for (const argv of [['--help'], ['show', '-h']]) {
      expect(await said(limits, argv)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Usage: tenantgate limits'),
      })
    }
  })
})
