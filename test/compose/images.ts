/** docker-compose.yml and the Dockerfiles as the tests read them: by file, since no engine is needed to run the tests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { packageRoot } from '../../package-root.ts'

export const composeFile = join(packageRoot, 'docker-compose.yml')

export interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile?: string; readonly target?: string }
  readonly user?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly network_mode?: string
  readonly healthcheck?: object
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly [more: string]: unknown
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: object
  readonly networks: object
}

/** With what `<<` takes over already in its place. */
export const readCompose = (): Compose => parse(readFileSync(composeFile, 'utf8'), { merge: true })

/** One `FROM … AS …` and what follows it. */
export interface BuildStage {
  readonly from: string
  readonly name: string | undefined
  /** Instructions after FROM; comments are left out, continued lines joined. */
  readonly instructions: readonly string[]
}

/** The stages of a Dockerfile of this repository, in their order. */
export function buildStages(dockerfile: string): BuildStage[] {
  const text = readFileSync(join(packageRoot, dockerfile), 'utf8').replace(/^\s*#.*\n/gm, '')
  const lines = text.replaceAll('\\\n', ' ').split('\n')
  const stages: { from: string; name: string | undefined; instructions: string[] }[] = []
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== '')) {
    const [, from, name] = /^FROM (\S+)(?: AS (\S+))?$/.exec(line) ?? []
    if (from !== undefined) stages.push({ from, name, instructions: [] })
    else stages.at(-1)?.instructions.push(line)
  }
  return stages
}

/** The stage that a service runs, and those that it is made from, the last first. */
export function lineageOf({ build }: Service): BuildStage[] {
  if (build === undefined) return []
  const stages = buildStages(build.dockerfile ?? 'Dockerfile')
  const stage = build.target === undefined ? stages.at(-1) : stages.find(({ name }) => name === build.target)
  if (stage === undefined) throw new Error(`no stage '${build.target}'`)
  return withBases(stage, stages)
}

/** A stage, and those that it is made from. */
export function withBases(stage: BuildStage, stages: readonly BuildStage[]): BuildStage[] {
  const base = stages.find(({ name }) => name === stage.from)
  return base ? [stage, ...withBases(base, stages)] : [stage]
}

/** The last instruction of this kind that holds for a stage, without its name. */
export function instructionOf(lineage: readonly BuildStage[], kind: string): string | undefined {
  for (const { instructions } of lineage) {
    const found = instructions.findLast((line) => line.startsWith(`${kind} `))
    if (found !== undefined) return found.slice(kind.length + 1)
  }
  return undefined
}
