/** Files with one fault each, below `test/fixtures`: what is told of it, at its place and in its words. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Problem } from '../../policy/problem.ts'

/** `busted-<fixture>`, the line and the path at which its fault is told, and a part of the message or of the fix. */
export type Fault = readonly [fixture: string, line: number, path: string, words: string]

export interface BustedFiles {
  readonly folder: string
  readonly ending: '.yaml' | '.json'
  readonly faults: readonly Fault[]
  /** `file` is in the folder, with its path. */
  problemsOf(file: string): readonly Problem[]
}

export function eachFaultIsTold({ folder, ending, faults, problemsOf }: BustedFiles): void {
  it.each(faults)(`busted-%s${ending} is refused at line %i, %s: %s`, (fixture, line, path, words) => {
    const file = join(folder, `busted-${fixture}${ending}`)
    const problems = problemsOf(file)
    expect(problems).toHaveLength(1)
    const [problem] = problems
    expect(problem).toMatchObject({ file, line, path })
    expect(`${problem?.message}; ${problem?.fix ?? ''}`).toContain(words)
    expect(problem?.column).toBeGreaterThan(0)
  })

  it('has a fixture for every case and a case for every fixture', () => {
    const fixtures = readdirSync(folder).filter((name) => name.startsWith('busted-'))
    expect(fixtures.sort()).toEqual(faults.map(([name]) => `busted-${name}${ending}`).sort())
  })
}
