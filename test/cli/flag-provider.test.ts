/** `serve --flag-provider` as a process: when it starts, what a reload may change, and its end; and who loads the SDK at all. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createFolder, policyText, run, type Serving, serve, startService } from './serving.ts'

const BY_PLAN = fileURLToPath(new URL('../fixtures/flag-providers/by-plan.mjs', import.meta.url))
const ASKED = 'flags: { provider: true }\n'
const WORDS = /flags\.provider.* is true, and no provider is loaded: start with `--flag-provider FILE\.mjs`/

const folder = createFolder(ASKED)
const LISTENERS = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0']
let serving: Serving | undefined

afterEach(async () => {
  serving?.signal('SIGKILL')
  await serving?.exit
  serving = undefined
})
afterAll(() => folder.remove())

const policyWith = (flags: string) => folder.writePolicy(policyText(folder.key, flags))

describe('a policy that leaves its flags to a provider', () => {
  it('is good, and cannot be served without one', async () => {
    policyWith(ASKED)
    expect(await run(['validate', folder.policyFile])).toMatchObject({ code: 0 })
    const refused = await run(['serve', '--policy', folder.policyFile, ...LISTENERS])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(WORDS)
    expect(refused.stderr).toContain(folder.policyFile)
  })

  it('is refused at a reload without one; the last good policy stays', async () => {
    policyWith('')
    serving = await serve(['--policy', folder.policyFile, ...LISTENERS])
    policyWith(ASKED)
    serving.signal('SIGHUP')
    const { problems } = await serving.line('policy rejected, the last good one stays')
    expect(problems).toEqual([expect.stringMatching(WORDS)])
    policyWith('')
    await serving.line('policy unchanged')
  })

  it('is served with one, which may be named in the environment, is told of, and is told at the end', async () => {
    policyWith(ASKED)
    const env = { TENANTGATE_FLAG_PROVIDER: BY_PLAN }
    serving = await serve(['--policy', folder.policyFile, ...LISTENERS], env)
    expect(await serving.line('the flag provider is ready')).toMatchObject({ level: 'info', provider: 'by-plan' })
    const metrics = await (await fetch(`${serving.http}/metrics`)).text()
    expect(metrics).toContain('tenantgate_flag_provider_status{status="ready"} 1')
    expect(metrics).toContain('tenantgate_flag_provider_status{status="error"} 0')
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    const said = serving.lines.map(({ msg }) => msg)
    expect(said.slice(-3)).toEqual(['draining', 'by-plan is closed', 'stopped'])
  })

  it('is served by the plugin server of Kong, too', async () => {
    policyWith(ASKED)
    const socket = join(folder.path, 'kong.sock')
    const args = ['--policy', folder.policyFile, '--socket', socket, '--flag-provider', BY_PLAN]
    serving = await startService('kong-plugin-server', args)
    await serving.line('the flag provider is ready')
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    expect(serving.output()).toContain('by-plan is closed')
  })
})

describe('a provider', () => {
  it('that the policy does not ask is told of', async () => {
    policyWith('')
    serving = await serve(['--policy', folder.policyFile, '--flag-provider', BY_PLAN, ...LISTENERS])
    expect(serving.lines.filter(({ msg }) => msg.startsWith('a flag provider is loaded, and'))).toHaveLength(1)
  })

  it('that cannot be loaded is told of at the start, and nothing is served', async () => {
    policyWith(ASKED)
    const file = join(folder.path, 'bad.mjs')
    writeFileSync(file, 'export default {}')
    const refused = await run(['serve', '--policy', folder.policyFile, '--flag-provider', file, ...LISTENERS])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toBe(
      `tenantgate: --flag-provider: ${file} makes no OpenFeature provider: it has no \`metadata.name\`\n`,
    )
  })
})

describe("OpenFeature's SDK", () => {
  /** Says on stderr when the SDK is looked for. */
  const tellTale = join(folder.path, 'tell-tale.mjs')
  writeFileSync(
    tellTale,
    `import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.includes('server-sdk')) process.stderr.write('the SDK is loaded\\n')
    return next(specifier, context)
  },
})
`,
  )

  it.each([
    ['is loaded with a provider', ['--flag-provider', BY_PLAN], true],
    ['is not loaded without one', [], false],
  ])('%s', async (_, more, isLoaded) => {
    policyWith(isLoaded ? ASKED : '')
    const env = { NODE_OPTIONS: `--import ${tellTale}` }
    serving = await serve(['--policy', folder.policyFile, ...LISTENERS, ...more], env)
    serving.signal('SIGTERM')
    await serving.exit
    expect(serving.output().includes('the SDK is loaded')).toBe(isLoaded)
  })
})
