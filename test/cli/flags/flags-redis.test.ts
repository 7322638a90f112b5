/** Flags of a policy in a real Redis: a switch and another file are followed by all instances, as a whole and at once. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readLive } from '../../../stores/redis/directory/read.ts'
import { FLAGS } from './flagged.ts'
import { folder, goesTo, imported, redis, run, started, upstreamOf, withFlagsInRedis } from './flags-in-redis.ts'

withFlagsInRedis()

describe('a switch', () => {
  it('is followed by all instances, and known to one that starts later', async () => {
    await imported()
    const both = await Promise.all([started(), started()])
    for (const instance of both) expect(await upstreamOf(instance)).toBe('orders-beta')
    expect(await run('off', 'orders-backend')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^orders-backend: switched off, since \S+\n$/),
    })
    for (const instance of both) await goesTo(instance, 'orders-stable')
    const later = await started()
    expect(await upstreamOf(later)).toBe('orders-stable')
    await run('on', 'orders-backend')
    for (const instance of [...both, later]) await goesTo(instance, 'orders-beta')
  })

  it('holds for a flag that no policy there has yet, and for policies that stand in files', async () => {
    expect((await run('off', 'to-come')).stdout).not.toContain('no policy here')
    await imported()
    expect((await run('off', 'another')).stdout).toContain('no policy here has a flag of this name')
    const { stdout } = await run('list')
    expect(stdout).toMatch(/^to-come +off \(switch\), in no policy/m)
    expect(stdout).toMatch(/^orders-backend +on /m)
  })

  it('is refused for a name that no flag may have', async () => {
    expect(await run('off', 'a b')).toMatchObject({ code: 1, stderr: expect.stringContaining("called 'a b'") })
    expect(await run('on', 'a b')).toMatchObject({ code: 0, stdout: 'a b: switched on already\n' })
    expect((await run('list')).stdout).not.toContain('a b')
  })

  it('is what flags evaluate goes by', async () => {
    await imported()
    await run('off', 'orders-backend')
    expect((await run('evaluate', '--tenant', 'acme')).stdout).toMatch(
      /^orders-backend +- +- +DISABLED \(switched off\)/m,
    )
  })
})

describe('flags import', () => {
  const other = {
    flags: {
      ...FLAGS.flags,
      'orders-backend': { ...FLAGS.flags['orders-backend'], targeting: { if: [true, 'canary', null] } },
    },
  }

  it('puts another file in the place of the one in the policy, which all instances follow; tenants stay as they are', async () => {
    await imported()
    const instance = await started()
    const before = await readLive(redis.connection)
    const [file, audit] = [folder.write('other.json', JSON.stringify(other)), `${folder.path}/audit`]
    const done = await run('import', file, '--audit', audit)
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/other\.json: imported \(version \w{12}\)\n$/)])
    await goesTo(instance, 'orders-canary')
    const after = await readLive(redis.connection)
    expect(after?.head).toMatchObject({ generation: before?.head.generation, edition: (before?.head.edition ?? 0) + 1 })
    expect(after?.head.policy).not.toBe(before?.head.policy)
    expect((await after?.bundle())?.version).toBe(after?.head.policy)
    expect(JSON.parse(readFileSync(audit, 'utf8'))).toMatchObject({ action: 'flags_imported', outcome: 'done' })
    expect((await run('import', file)).stdout).toContain('is what is there already')
    expect((await imported()).stdout).toContain('imported')
    await goesTo(instance, 'orders-beta')
  })

  it('refuses what the policy is not good with, names its place, and changes nothing', async () => {
    await imported()
    const before = await readLive(redis.connection)
    const broken = { flags: { gone: FLAGS.flags.gone } }
    const refused = await run('import', folder.write('broken.json', JSON.stringify(broken)))
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toMatch(/orders-backend/)
    const noJson = await run('import', folder.write('no.json', '{ "flags": '))
    expect(noJson.stderr).toMatch(/no\.json:1:\d+: /)
    expect((await readLive(redis.connection))?.head).toEqual(before?.head)
  })

  it('does nothing where there is no policy, or no file', async () => {
    const file = folder.write('other.json', JSON.stringify(other))
    expect(await run('import', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no policy in this Redis yet'),
    })
    expect(await run('import', `${folder.path}/none`)).toMatchObject({ code: 1 })
    expect(await run('import')).toMatchObject({ code: 2 })
    const plain = readFileSync(folder.policy, 'utf8')
      .replace(/\nflags:[\s\S]*/, '\n')
      .replace(', flag: orders-backend', '')
    folder.write('tenantgate.yaml', plain)
    expect((await imported()).code).toBe(0)
    expect((await run('import', file)).stderr).toContain('names no flag file')
  })
})
