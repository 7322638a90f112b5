/** A running gateway follows its policy's files, however they are changed, and never loses a good policy to a bad one. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MemoryPolicy } from '../../policy/compile.ts'
import { type PolicyWatch, type WatchOptions, watchPolicy } from '../../policy/watch.ts'

const AN_HOUR_MS = 3_600_000

let folder: string
let watching: PolicyWatch | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantgate-watch-'))
})

afterEach(() => {
  watching?.close()
  rmSync(folder, { recursive: true })
})

function policyOf(tenant: string, rest = ''): string {
  return `version: 1\nplans: { free: {} }\ntenants: { ${tenant}: { plan: free } }\nroutes: [{ name: all, match: { path: /** } }]\n${rest}`
}

const FLAGS = { flags: { beta: { state: 'ENABLED', variants: { on: 'b' }, defaultVariant: 'on' } } }

/** What the watch tells, one at a time: the tenant that a policy holds, the first problem's message, or `recovered`. */
function follow(file: string, options: Partial<WatchOptions> = {}) {
  const told: string[] = []
  const policies: MemoryPolicy[] = []
  let wake = () => {}
  const tell = (word: string) => {
    told.push(word)
    wake()
  }
  watching = watchPolicy({
    file,
    env: {},
    debounceMs: 5,
    pollMs: AN_HOUR_MS,
    onPolicy: (policy) => {
      policies.push(policy)
      tell(['acme', 'globex', 'initech'].find((id) => policy.directory.byId(id)) ?? 'nobody')
    },
    onProblems: ([problem]) => tell(problem?.message ?? ''),
    onRecovered: () => tell('recovered'),
    ...options,
  })
  async function next(): Promise<string> {
    for (;;) {
      const word = told.shift()
      if (word !== undefined) return word
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  /** Skips what was told of states in between, such as a file that was read half written. */
  async function until(wanted: string): Promise<void> {
    while ((await next()) !== wanted);
  }
  return { watch: watching, next, until, told, policies }
}

describe('a change is noticed', () => {
  it('when the file is written in place', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { next, until } = follow(file)
    expect(await next()).toBe('acme')
    writeFileSync(file, policyOf('globex'))
    await until('globex')
  })

  it('when another file is renamed over it', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { next } = follow(file)
    expect(await next()).toBe('acme')
    writeFileSync(join(folder, 'policy.new'), policyOf('globex'))
    renameSync(join(folder, 'policy.new'), file)
    expect(await next()).toBe('globex')
  })

  it('when a link in its path is swapped, as Kubernetes does for a ConfigMap', async () => {
    for (const [version, tenant] of [
      ['..1', 'acme'],
      ['..2', 'globex'],
    ] as const) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'policy.yaml'), policyOf(tenant))
    }
    symlinkSync('..1', join(folder, '..data'))
    symlinkSync('..data/policy.yaml', join(folder, 'policy.yaml'))
    const { next } = follow(join(folder, 'policy.yaml'))
    expect(await next()).toBe('acme')
    symlinkSync('..2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    expect(await next()).toBe('globex')
  })

  it('without any notification, by looking', async () => {
    const file = join(folder, 'not-there-yet', 'policy.yaml')
    const { next, until } = follow(file, { pollMs: 20 })
    expect(await next()).toBe('does not exist')
    mkdirSync(join(folder, 'not-there-yet'))
    writeFileSync(file, policyOf('acme'))
    await until('acme')
  })

  it('in a file that the policy names', async () => {
    const file = join(folder, 'policy.yaml')
    mkdirSync(join(folder, 'flags'))
    const flags = join(folder, 'flags', 'flags.json')
    writeFileSync(flags, JSON.stringify(FLAGS))
    writeFileSync(file, policyOf('acme', 'flags: flags/flags.json\n'))
    const { next, until, policies } = follow(file)
    expect(await next()).toBe('acme')
    writeFileSync(flags, JSON.stringify({ flags: {} }))
    await until('acme')
    expect(policies.map((policy) => policy.flags?.definition)).toEqual([JSON.stringify(FLAGS), '{"flags":{}}'])
    expect(policies[0]?.version).not.toBe(policies[1]?.version)
  })

  it('at once when it is told to reload', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { watch, told } = follow(file, { debounceMs: AN_HOUR_MS })
    expect(await watch.first).toBe('loaded')
    writeFileSync(file, policyOf('globex'))
    expect(await watch.reload()).toBe('loaded')
    expect(told).toEqual(['acme', 'globex'])
  })
})

describe('a bad file', () => {
  it('is told once, however often it is noticed, and again to who asks for a reload', async () => {
    const file = join(folder, 'policy.yaml')
    const bad = policyOf('acme').replace('plan: free', 'plan: fre')
    writeFileSync(file, policyOf('acme'))
    const { watch, next } = follow(file, { pollMs: 20, debounceMs: 1 })
    expect(await next()).toBe('acme')
    writeFileSync(file, bad)
    expect(await next()).toContain('there is no plan')
    // whoever asks has it read, and is told again; what is noticed by itself meanwhile is not
    writeFileSync(file, `${bad}# again\n`)
    expect(await watch.reload()).toBe('refused')
    expect(await next()).toContain('there is no plan')
    writeFileSync(file, `${bad}# and again\n`)
    writeFileSync(file, policyOf('globex'))
    expect(await next()).toBe('globex')
  })

  it('is told, and the last good policy stays until the next good one', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { watch, told, policies } = follow(file, { debounceMs: AN_HOUR_MS })
    await watch.first
    writeFileSync(file, policyOf('globex').replace('plan: free', 'plan: fre'))
    expect(await watch.reload()).toBe('refused')
    expect(policies).toHaveLength(1)
    writeFileSync(file, policyOf('initech'))
    expect(await watch.reload()).toBe('loaded')
    expect(told).toEqual(['acme', 'there is no plan `fre`; did you mean `free`?', 'initech'])
  })

  it('that becomes what it was is a recovery, not a new policy', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { watch, told } = follow(file, { debounceMs: AN_HOUR_MS })
    await watch.first
    writeFileSync(file, '')
    expect(await watch.reload()).toBe('refused')
    writeFileSync(file, policyOf('acme'))
    expect(await watch.reload()).toBe('unchanged')
    expect(told).toEqual(['acme', 'is empty', 'recovered'])
  })

  it('is one that is gone, too', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { next, until } = follow(file)
    expect(await next()).toBe('acme')
    rmSync(file)
    expect(await next()).toBe('does not exist')
    writeFileSync(join(folder, 'new'), policyOf('globex'))
    renameSync(join(folder, 'new'), file)
    await until('globex')
  })

  it('is a pipe that nobody writes to, too: it holds up neither the reading nor the end', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { next, until } = follow(file)
    expect(await next()).toBe('acme')
    execFileSync('mkfifo', [join(folder, 'pipe')])
    renameSync(join(folder, 'pipe'), file)
    await until('is not a regular file')
    writeFileSync(join(folder, 'new'), policyOf('globex'))
    renameSync(join(folder, 'new'), file)
    await until('globex')
  })

  it('at the start leaves nothing to serve, and says so', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme', 'flags: no-such-file.json\n'))
    const { watch, told } = follow(file, { debounceMs: AN_HOUR_MS })
    expect(await watch.first).toBe('refused')
    expect(told).toEqual(['the flag file `no-such-file.json` does not exist'])
  })

  it('is also a policy that could not be put to use', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const onPolicy = () => {
      throw new TypeError('broken')
    }
    const { watch, told } = follow(file, { debounceMs: AN_HOUR_MS, onPolicy })
    expect(await watch.first).toBe('refused')
    expect(told).toEqual(['could not be put to use (TypeError)'])
  })
})

describe('a reload', () => {
  it('of the same content changes nothing', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { watch, told } = follow(file, { debounceMs: AN_HOUR_MS })
    await watch.first
    writeFileSync(file, policyOf('acme'))
    expect(await watch.reload()).toBe('unchanged')
    expect(told).toEqual(['acme'])
  })

  it('asked for while another is under way reads again, so that the newest wins', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { watch, told } = follow(file, { debounceMs: AN_HOUR_MS })
    await watch.first
    const early = watch.reload()
    writeFileSync(file, policyOf('initech'))
    await Promise.all([early, watch.reload(), watch.reload()])
    expect(told.at(-1)).toBe('initech')
    expect(told.filter((word) => word === 'initech')).toHaveLength(1)
  })

  it('of very many tenants hands over every one of them', async () => {
    const file = join(folder, 'policy.yaml')
    const tenants = Array.from({ length: 2000 }, (_, index) => `  t${index}: { plan: free, aliases: [a${index}] }\n`)
    writeFileSync(
      file,
      `version: 1\nplans: { free: {} }\nroutes: [{ name: a, match: { path: / } }]\ntenants:\n${tenants.join('')}`,
    )
    const { watch, policies } = follow(file)
    expect(await watch.first).toBe('loaded')
    const found = Array.from({ length: 2000 }, (_, index) => policies[0]?.directory.byName(`a${index}`)?.id)
    expect(found).toEqual(Array.from({ length: 2000 }, (_, index) => `t${index}`))
  })

  it('that is under way when the watch is closed is not told', async () => {
    const file = join(folder, 'policy.yaml')
    writeFileSync(file, policyOf('acme'))
    const { watch, told } = follow(file)
    watch.close()
    expect(await watch.first).toBe('closed')
    expect(told).toEqual([])
  })
})
