/** `tenantgate kong-plugin-server` as Kong starts it: one socket for all plugins, followed policy, reloads and drains. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REQUEST_KEY } from '../../../kong/handover.ts'
import { packageRoot } from '../../../package-root.ts'
import { createKongRpc, type KongRpc } from '../../kong/harness/pb-client.ts'
import { createFolder, type Folder, policyText, run, type Serving, startService } from '../serving.ts'

let folder: Folder
let socket: string
const servers: Serving[] = []
const clients: KongRpc[] = []

beforeEach(() => {
  folder = createFolder()
  socket = join(folder.path, 'kong.sock')
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const serving of servers.splice(0)) {
    serving.signal('SIGKILL')
    await serving.exit
  }
  folder.remove()
})

async function serve(...more: string[]): Promise<Serving> {
  const serving = await startService('kong-plugin-server', ['--socket', socket, '--policy', folder.policyFile, ...more])
  servers.push(serving)
  return serving
}

function kong(): KongRpc {
  const client = createKongRpc({ socket, readTimeoutMs: 5000 })
  clients.push(client)
  return client
}

let requests = 0

/** One request through `tenant-gate`, as the guard hands it over; the status that the client gets, or `allowed`. */
async function decide(client: KongRpc, key: string | undefined, plugin = 'tenant-gate') {
  requests += 1
  const headers = { host: 'acme.api.localhost', ...(key && { 'x-api-key': key }) }
  const request = { method: 'GET', target: '/v1/orders/7', host: headers.host, headers, address: '127.0.0.1' }
  const handed = JSON.stringify({ id: `r${requests}`, requestId: `r${requests}`, ...request })
  let status: unknown
  const { outcome } = await client.handleEvent(plugin, `${plugin}-1`, {}, 'access', (method, args) => {
    if (method === 'kong.response.exit') [status] = args
    return method === 'kong.ctx.shared.get' && args[0] === REQUEST_KEY ? handed : undefined
  })
  return outcome === 'done' ? 'allowed' : (status ?? outcome)
}

describe('--describe', () => {
  it.each(['tenant-gate', 'tenant-auth', 'tenant-quota', 'tenant-flags'])(
    '%s prints one JSON document and nothing else, without a policy',
    async (name) => {
      const { code, stdout, stderr } = await run(['kong-plugin-server', '--describe', name])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const { Protocol, Plugins } = JSON.parse(stdout)
      expect(Protocol).toBe('ProtoBuf:1')
      expect(Plugins).toHaveLength(1)
      expect(Plugins[0]).toMatchObject({
        Name: name,
        Phases: ['access'],
        Version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      })
    },
  )

  it('an unknown plugin is an error that names the nearest', async () => {
    const ended = await run(['kong-plugin-server', '--describe', 'tenant-gates'])
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('did you mean tenant-gate?') })
  })

  it('there is no file in plugins/ that is none', () => {
    expect(readdirSync(join(packageRoot, 'plugins')).every((file) => /^tenant-[a-z]+\.ts$/.test(file))).toBe(true)
  })
})

describe('options', () => {
  it.each([
    [[], 'which policy?'],
    [['--policy', 'x.yaml'], 'which socket?'],
    [['--policy', 'x.yaml', '--socket', '/tmp/x', '--event-timeout', '0s'], '--event-timeout'],
    [['--policy', 'x.yaml', '--socket', '/tmp/x', '--event-timeout', 'soon'], '--event-timeout'],
    [['--policy', 'x.yaml', '--socket', '/tmp/x', '--max-events', '0'], '--max-events'],
    [['--policy', 'x.yaml', '--sockte', '/tmp/x'], 'did you mean --socket?'],
    [['tenant-gate'], "'tenant-gate' is not an option"],
  ])('%j is wrong use', async (args, words) => {
    const ended = await run(['kong-plugin-server', ...args])
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(words) })
  })

  it.each(['kong.sock', '127.0.0.1:9000', 'unix:kong.sock', ''])(
    'the socket %j is bad input, and an absolute path is what is wanted instead',
    async (wrong) => {
      const ended = await run(['kong-plugin-server', '--policy', folder.policyFile, '--socket', wrong])
      const words = `--socket: '${wrong}' is not an absolute path; write one, such as /run/tenantgate/kong.sock\n`
      expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(words) })
    },
  )

  it('a policy that is none is bad input', async () => {
    folder.writePolicy('version: 2\n')
    const bad = await run(['kong-plugin-server', '--policy', folder.policyFile, '--socket', socket])
    expect(bad).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('tenantgate.yaml:1') })
    expect(existsSync(socket)).toBe(false)
  })

  it('have twins in the environment', async () => {
    const env = { TENANTGATE_SOCKET: socket, TENANTGATE_POLICY: folder.policyFile, TENANTGATE_MAX_EVENTS: 'many' }
    expect(await run(['kong-plugin-server'], env)).toMatchObject({ code: 2, stderr: expect.stringContaining('many') })
  })
})

describe('a plugin server', () => {
  it('says where it serves in one line, lets its group call, and decides for every plugin', async () => {
    const serving = await serve()
    expect(await serving.line('listening')).toMatchObject({ kong: `unix:${socket}`, pid: serving.process.pid })
    expect(statSync(socket).mode & 0o777).toBe(0o660)
    const client = kong()
    for (const plugin of ['tenant-gate', 'tenant-auth', 'tenant-quota', 'tenant-flags']) {
      expect(await decide(client, folder.key, plugin)).toBe('allowed')
      expect(await decide(client, undefined, plugin)).toBe(401)
    }
  })

  it('follows the policy file, and reads it again on SIGHUP', async () => {
    const serving = await serve()
    const client = kong()
    expect(await decide(client, folder.key)).toBe('allowed')
    folder.writePolicy(policyText('tg_test_other'))
    serving.signal('SIGHUP')
    await serving.line('policy reloaded')
    expect(await decide(client, folder.key)).toBe(401)
  })

  it('refuses the requests of a plugin whose configuration is wrong, and says why', async () => {
    const serving = await serve()
    const client = kong()
    const exits: unknown[] = []
    const outcome = await client.handleEvent('tenant-gate', 'x', { stage: ['auth'] }, 'access', (_method, args) =>
      exits.push(args[0]),
    )
    expect([outcome.outcome, ...exits]).toEqual(['exited', 503])
    const line = await serving.line('plugin configuration rejected, its requests are refused')
    expect(line).toMatchObject({ plugin: 'tenant-gate', because: expect.stringContaining('stage') })
  })

  it('counts events and instances where --http is given', async () => {
    const serving = await serve('--http', '127.0.0.1:0')
    const client = kong()
    await decide(client, folder.key)
    await decide(client, undefined)
    const text = await (await fetch(`${serving.http}/metrics`)).text()
    expect(text).toMatch(/^tenantgate_kong_events_total\{outcome="done"\} 1$/m)
    expect(text).toMatch(/^tenantgate_kong_events_total\{outcome="exited"\} 1$/m)
    expect(text).toMatch(/^tenantgate_kong_instances\{plugin="tenant-gate"\} 1$/m)
    expect(text).toMatch(/^tenantgate_decisions_total\{decision="allow",reason="allowed"\} 1$/m)
    expect((await fetch(`${serving.http}/readyz`)).status).toBe(200)
  })

  it('stops on SIGTERM, removes its socket, and exits 0', async () => {
    const serving = await serve()
    expect(await decide(kong(), folder.key)).toBe('allowed')
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    expect(await serving.line('stopped')).toMatchObject({ allAnswered: true })
    expect(existsSync(socket)).toBe(false)
  })
})

describe('a socket', () => {
  it('is taken over while another server serves on it; the old one ends by itself, and both say so', async () => {
    const before = await serve()
    const client = kong()
    expect(await decide(client, folder.key)).toBe('allowed')
    const after = await serve()
    const probe = connect(socket)
    await new Promise((resolve) => probe.once('connect', resolve))
    probe.destroy()
    expect(await decide(client, folder.key)).toBe('allowed')
    expect(await decide(kong(), folder.key)).toBe('allowed')
    const address = `unix:${socket}`
    const taken = 'another server was listening here, and its new connections come here now'
    expect(await after.line(taken)).toMatchObject({ level: 'warn', address })
    expect(await before.line('another server listens here now; ending')).toMatchObject({ level: 'info', address })
    expect(await before.exit).toBe(0)
    expect(await before.line('stopped')).toMatchObject({ allAnswered: true })
    expect(before.lines.map(({ msg }) => msg)).not.toContain(taken)
    expect(existsSync(socket)).toBe(true)
    expect(await decide(client, folder.key)).toBe('allowed')
    after.signal('SIGTERM')
    await after.exit
    expect(existsSync(socket)).toBe(false)
  })

  it('is served after SIGUSR2 until a successor has it', async () => {
    const before = await serve()
    before.signal('SIGUSR2')
    expect(await before.line('draining')).toMatchObject({ signal: 'SIGUSR2' })
    expect(await decide(kong(), folder.key)).toBe('allowed')
    const after = await serve()
    await after.line('another server was listening here, and its new connections come here now')
    expect(await before.exit).toBe(0)
    expect(before.lines.slice(-2).map(({ msg }) => msg)).toEqual(['another server listens here now; ending', 'stopped'])
    expect(await decide(kong(), folder.key)).toBe('allowed')
  })

  it('is given up after SIGUSR2 when no successor comes, within the time of a drain', async () => {
    const serving = await serve('--drain-timeout', '100ms')
    serving.signal('SIGUSR2')
    expect(await serving.exit).toBe(0)
    expect(existsSync(socket)).toBe(false)
    expect(serving.output()).not.toContain('another server')
  })

  it('is given up at once when a second signal comes', async () => {
    const serving = await serve('--drain-timeout', '10m')
    serving.signal('SIGUSR2')
    await serving.line('draining')
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(1)
    expect(serving.output()).not.toContain('"stopped"')
  })

  it('that was left behind gives way, a file of another kind does not', async () => {
    const killed = await serve()
    killed.signal('SIGKILL')
    await killed.exit
    expect(existsSync(socket)).toBe(true)
    await serve()
    expect(await decide(kong(), folder.key)).toBe('allowed')
    const file = join(folder.path, 'a.txt')
    writeFileSync(file, 'mine')
    const ended = await run(['kong-plugin-server', '--policy', folder.policyFile, '--socket', file])
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('a file of another kind') })
  })
})
