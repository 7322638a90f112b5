/** Kong's reference configuration, by file: kong.conf, kong.yml, the plugins and their guards name the same things. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, parse as parsePath } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { BACKENDS } from '../../demo/backends.ts'
import { packageRoot } from '../../package-root.ts'
import * as auth from '../../plugins/tenant-auth.ts'
import * as flags from '../../plugins/tenant-flags.ts'
import * as gate from '../../plugins/tenant-gate.ts'
import * as quota from '../../plugins/tenant-quota.ts'

const PLUGINS = { 'tenant-gate': gate, 'tenant-auth': auth, 'tenant-quota': quota, 'tenant-flags': flags }
const names = Object.keys(PLUGINS) as (keyof typeof PLUGINS)[]
const trio = (name: string) => [`${name}-before`, name, `${name}-after`]

const read = (...path: string[]) => readFileSync(join(packageRoot, ...path), 'utf8')
const guardFolder = join(packageRoot, 'kong', 'guard', 'kong', 'plugins')

interface PluginEntry {
  readonly name: string
  readonly config?: Readonly<Record<string, unknown>>
}

interface KongYaml {
  readonly upstreams: readonly {
    name: string
    targets: { target: string }[]
    healthchecks: { active: { healthy: { interval: number } } }
  }[]
  readonly services: readonly {
    host: string
    plugins?: PluginEntry[]
    routes: { paths: string[]; plugins?: PluginEntry[] }[]
  }[]
  readonly plugins: readonly PluginEntry[]
}

const yamlText = read('kong', 'kong.yml')
const yaml: KongYaml = parse(yamlText)

/** kong.conf's settings; the last line of a key counts. */
const conf = new Map(
  read('kong', 'kong.conf')
    .split('\n')
    .map((line) => /^([a-z0-9_]+) = (.+)$/.exec(line))
    .flatMap((match) => (match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const])),
)

/** In the order of the file, as the comments say it: the split plugins' list is read out of its comment. */
function splitPlugins(): PluginEntry[] {
  const lines = yamlText.split('\n').filter((line) => /^# {3}- .*tenant-/.test(line))
  return parse(lines.map((line) => line.slice(2)).join('\n'))
}

/** What each plugin's guard says that its priority is. */
function guardPriority(guard: string): number {
  const [, priority] = /"[a-z]+", (\d+)\)/.exec(readFileSync(join(guardFolder, guard, 'handler.lua'), 'utf8')) ?? []
  return Number(priority)
}

describe('plugins', () => {
  it('are the files of plugins/, and each has its two guards', () => {
    const files = readdirSync(join(packageRoot, 'plugins')).map((file) => parsePath(file).name)
    expect(files.sort()).toEqual([...names].sort())
    const guards = names.flatMap((name) => [`${name}-before`, `${name}-after`])
    expect(readdirSync(guardFolder).sort()).toEqual(guards.sort())
  })

  it('stand directly between their guards, and no two at the same place', () => {
    const priorities = names.flatMap((name) => {
      const [before = '', , after = ''] = trio(name)
      expect(guardPriority(before)).toBe(PLUGINS[name].Priority + 1)
      expect(guardPriority(after)).toBe(PLUGINS[name].Priority - 1)
      return [1, 0, -1].map((step) => PLUGINS[name].Priority + step)
    })
    expect(new Set(priorities).size).toBe(priorities.length)
  })

  it('are named in kong.conf with their guards, beside the bundled ones', () => {
    expect(conf.get('plugins')?.split(',')).toEqual(['bundled', ...names.flatMap(trio)])
  })
})

describe('kong.conf', () => {
  const ofServer = (name: string, key: string) => conf.get(`pluginserver_${name.replaceAll('-', '_')}_${key}`)

  it('has one plugin server entry for each plugin, all on the socket of the one process that the first starts', () => {
    expect(conf.get('pluginserver_names')?.split(',')).toEqual(names)
    const [first = '', ...others] = names
    const [, socket] = / --socket (\S+)/.exec(ofServer(first, 'start_cmd') ?? '') ?? []
    for (const name of names) {
      expect(ofServer(name, 'socket')).toBe(socket)
      expect(ofServer(name, 'query_cmd')).toMatch(new RegExp(` kong-plugin-server --describe ${name}$`))
    }
    for (const name of others) expect(ofServer(name, 'start_cmd')).toBeUndefined()
  })

  it('says why requests are refused in a file that is made for it, beside nothing that belongs to the package', () => {
    expect(ofServer('tenant-gate', 'start_cmd')).toMatch(/ >> \/var\/log\/tenantgate\/[a-z-]+\.log 2>&1 & /)
  })

  it('starts the plugin server so that Kong can be reloaded: it outlives the process that Kong kills, and is told why', () => {
    expect(ofServer('tenant-gate', 'start_cmd')).toMatch(/ & trap "kill -USR2 \$!" TERM; wait \$!; wait$/)
  })

  it('lets no worker of a former configuration stay without end', () => {
    expect(conf.get('nginx_main_worker_shutdown_timeout')).toBe('30s')
  })

  it('names only files of the package, and programs by their whole path', () => {
    const paths = [...conf.values()].flatMap((value) => value.match(/\/opt\/tenantgate\/[^ ;?]+/g) ?? [])
    expect(paths.length).toBeGreaterThan(5)
    for (const path of paths) {
      const source = path.replace('/opt/tenantgate/', '').replace(/^dist\/(.*)\.js$/, '$1.ts')
      expect([path, existsSync(join(packageRoot, source))]).toEqual([path, true])
    }
    for (const [key, value] of conf) if (/_(start|query)_cmd$/.test(key)) expect(value).toMatch(/^\//)
  })

  it('bounds what a frozen plugin server costs, and waits longer than that server bounds an event', () => {
    expect(conf.get('nginx_http_lua_socket_connect_timeout')).toBe('1s')
    expect(conf.get('nginx_http_lua_socket_send_timeout')).toBe('2s')
    expect(conf.get('nginx_http_lua_socket_read_timeout')).toBe('2s')
  })

  it('keeps the admin interface off, and everything else on the loopback interface', () => {
    expect([conf.get('admin_listen'), conf.get('admin_gui_listen')]).toEqual(['off', 'off'])
    for (const key of ['proxy_listen', 'status_listen']) expect(conf.get(key)).toMatch(/^127\.0\.0\.1:/)
  })

  it('writes the access log by the format of the file that it includes', () => {
    const [, format] = conf.get('proxy_access_log')?.split(' ') ?? []
    expect(read('kong', 'access-log.conf')).toContain(`log_format ${format} escape=json`)
    expect(conf.get('nginx_http_include')).toBe('/opt/tenantgate/kong/access-log.conf')
  })
})

describe('kong.yml', () => {
  const listed = yaml.plugins.map(({ name }) => name)

  it('guards every route there is or may come: our plugins stand at the top, and nowhere below', () => {
    expect(listed.filter((name) => name.startsWith('tenant-'))).toEqual(trio('tenant-gate'))
    const below = yaml.services.flatMap(({ plugins = [], routes }) => [
      ...plugins,
      ...routes.flatMap((route) => route.plugins ?? []),
    ])
    expect(below.filter(({ name }) => name.startsWith('tenant-'))).toEqual([])
    expect(yaml.services.flatMap(({ routes }) => routes.flatMap(({ paths }) => paths))).toEqual(['/'])
  })

  it('lists the plugins in the order in which they run, by the priorities that it states', () => {
    const stated = [...yamlText.matchAll(/^ {2}# (\d+)[.,]/gm)].map(([, priority]) => Number(priority))
    expect(stated).toEqual([...stated].sort((one, other) => other - one))
    expect(stated).toEqual(expect.arrayContaining([1241, 1240, 1239]))
  })

  it('offers the stages one by one with all their guards, at the priorities that they have', () => {
    const split = names.filter((name) => name !== 'tenant-gate')
    expect(splitPlugins().map(({ name }) => name)).toEqual(split.flatMap(trio))
    const stated = [...yamlText.matchAll(/^# {3}- .*?(tenant-[a-z-]+).*# (\d+)/gm)]
    for (const [, name = '', priority] of stated) {
      const known = name in PLUGINS ? PLUGINS[name as keyof typeof PLUGINS].Priority : guardPriority(name)
      expect([name, Number(priority)]).toEqual([name, known])
    }
    expect(stated).toHaveLength(9)
  })

  it('configures our plugins by fields that they have', () => {
    for (const { name, config = {} } of [...yaml.plugins, ...splitPlugins()]) {
      if (!(name in PLUGINS)) continue
      const fields = PLUGINS[name as keyof typeof PLUGINS].Schema.flatMap((field) => Object.keys(field))
      expect([name, fields]).toEqual([name, expect.arrayContaining(Object.keys(config))])
    }
  })

  it("knows every upstream of the demo's policy, each watched by health checks of its own", () => {
    const policy: { upstreams: string[] } = parse(read('demo', 'tenantgate.yaml'))
    expect(yaml.upstreams.map(({ name }) => name)).toEqual(policy.upstreams)
    expect(policy.upstreams).toEqual([...BACKENDS])
    for (const { healthchecks } of yaml.upstreams) expect(healthchecks.active.healthy.interval).toBeGreaterThan(0)
    for (const { host } of yaml.services) expect(policy.upstreams).toContain(host)
  })

  it('is read alike with and without the merge keys of YAML 1.1', () => {
    expect(parse(yamlText, { version: '1.1' })).toEqual(yaml)
  })
})

describe('beside the reference configuration for Envoy', () => {
  const envoy = read('envoy', 'envoy.yaml')
  const list = (key: string) => new RegExp(`${key}: (.+)`).exec(envoy)?.[1]?.split(', ')
  const cors = yaml.plugins.find(({ name }) => name === 'cors')?.config

  it('browsers may send and read the same', () => {
    expect(cors?.methods).toEqual(list('allow_methods'))
    expect(cors?.headers).toEqual(list('allow_headers'))
    expect(cors?.exposed_headers).toEqual(list('expose_headers'))
    expect(cors?.max_age).toBe(600)
    expect(cors?.preflight_continue).toBe(false)
  })

  it('the access log has the same fields, less those of a decision that only the plugin server knows', () => {
    const [, format = ''] = /json_format:\n {26}requestId([\s\S]*?)\n\n/.exec(envoy) ?? []
    const theirs = ['requestId', ...[...format.matchAll(/^ {26}(\w+):/gm)].map(([, field = '']) => field)]
    const ours = [...read('kong', 'access-log.conf').matchAll(/'"(\w+)":/g)].map(([, field = '']) => field)
    expect(theirs).toContain('remaining')
    expect(theirs.filter((field) => !ours.includes(field))).toEqual([
      'credential',
      'route',
      'decision',
      'reason',
      'shadow',
      'flagReason',
    ])
    expect(ours.filter((field) => !theirs.includes(field))).toEqual(['kongRequestId'])
  })
})
