/** The Dockerfiles, checked by file: what they are made from, who runs in them, and what they copy. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../package-root.ts'
import { type BuildStage, buildStages, instructionOf, withBases } from './images.ts'

const read = (file: string) => readFileSync(join(packageRoot, file), 'utf8')
const { devDependencies, files }: { devDependencies: Record<string, string>; files: string[] } = JSON.parse(
  read('package.json'),
)
const FILES = ['Dockerfile', 'kong/Dockerfile']

/** Stages that something runs in, each with those that it is made from. */
function runStages(file: string): BuildStage[][] {
  const stages = buildStages(file)
  return stages.filter(({ name }) => name !== 'build').map((stage) => withBases(stage, stages))
}

describe.each(FILES)('%s', (file) => {
  const stages = buildStages(file)

  it('is made from images of exact versions, with the Node that the tests run on', () => {
    const names = stages.map(({ name }) => name)
    const bases = stages.map(({ from }) => from).filter((from) => !names.includes(from))
    expect(bases.length).toBeGreaterThan(0)
    for (const base of bases) {
      expect(base).toMatch(/^[a-z/]+:\d+\.\d+\.\d+-[a-z]+/)
      if (base.startsWith('node:')) expect(base).toBe(`node:${devDependencies.node}-bookworm-slim`)
    }
  })

  it('ends as a user that is not root, in every stage that something runs in', () => {
    for (const lineage of runStages(file)) {
      expect(instructionOf(lineage, 'USER')).toMatch(/^(kong|1000:1000)$/)
    }
  })

  it('copies only what the repository holds and .dockerignore lets in', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    const copied = stages.flatMap(({ instructions }) => instructions).filter((line) => /^COPY (?!--from)/.test(line))
    const sources = copied.flatMap((line) => line.split(' ').slice(1, -1)).filter((source) => source !== '.')
    expect(sources).toEqual(['package.json', 'package-lock.json', '.npmrc'])
    for (const source of [...sources, ...allowed]) expect(existsSync(join(packageRoot, source))).toBe(true)
    for (const source of sources) expect(allowed).toContain(source)
  })

  it('builds with the lock file and without scripts of packages, and leaves the tools behind', () => {
    const [build] = stages
    expect(build?.instructions.join('\n')).toMatch(
      /npm ci --ignore-scripts\n[\s\S]*npm prune --omit=dev --ignore-scripts/,
    )
    for (const [stage] of runStages(file)) expect(stage?.instructions.join('\n')).not.toMatch(/npm |COPY \. /)
  })
})

it('both images are built alike', () => {
  const [sidecar, kong] = FILES.map((file) => buildStages(file)[0])
  expect(kong).toEqual(sidecar)
})

it("Kong's image runs the reference's kong.conf, with the plugin server's log in Kong's own", () => {
  const [, script = ''] = /RUN (sed [\s\S]*?) > \/etc\/kong\/kong\.conf/.exec(read('kong/Dockerfile')) ?? []
  const file = join(packageRoot, 'kong', 'kong.conf')
  const changed = execFileSync('sh', ['-c', script.replace('/opt/tenantgate/kong/kong.conf', file)], {
    encoding: 'utf8',
  })
  const lines = read('kong/kong.conf').split('\n')
  const differences = changed
    .split('\n')
    .flatMap((line, index) => (line === lines[index] ? [] : [[lines[index], line]]))
  const [[command = '', own = ''] = [], ...others] = differences
  expect(command).toMatch(/^pluginserver_tenant_gate_start_cmd = .* >> \S+ 2>&1 & trap .* TERM; /)
  expect(own).toBe(command.replace(/ >> \S+ 2>&1/, ''))
  expect(others).toEqual([['log_level = notice', 'log_level = info']])
})

it('.dockerignore begins by leaving out everything, and lets in every room that the build compiles', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(lines[0]).toBe('*')
  const { include }: { include: string[] } = JSON.parse(read('tsconfig.build.json'))
  expect(include.filter((room) => !lines.includes(`!${room}`))).toEqual([])
})

it('the package holds what the images run: Kong finds its guard, its configuration and the log format in it', () => {
  expect(files).toEqual(
    expect.arrayContaining(['kong/guard', 'kong/kong.conf', 'kong/kong.yml', 'kong/access-log.conf']),
  )
  for (const path of files.filter((each) => !each.startsWith('dist/'))) {
    expect(globSync(path, { cwd: packageRoot })).not.toEqual([])
  }
})
