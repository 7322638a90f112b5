/** Files with one fault each, below `test/fixtures`: what is told of it, at its place and in its words. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Problem } from '../../policy/problem.ts'

/** `busted-<fixture>`, the line and the path at which its fault is told, and a part of the message or of the fix. */
export type Fault = readonly [fixture: string, line: number, path: string, words: string]

export interface BustedFiles {
  readonly folder: string
  readonly ending: '.yaml' | '.json'
  /** `file` is in the folder, with its path. */
  problemsOf(file: string): readonly Problem[]
}

export function expectFault({ folder, ending, problemsOf }: BustedFiles, [fixture, line, path, words]: Fault): void {
  const file = join(folder, `busted-${fixture}${ending}`)
  const problems = problemsOf(file)
  expect(problems).toHaveLength(1)
  const [problem] = problems
  expect(problem).toMatchObject({ file, line, path })
  expect(`${problem?.message}; ${problem?.fix ?? ''}`).toContain(words)
  expect(problem?.column).toBeGreaterThan(0)
}

export function expectFixtures({ folder, ending }: BustedFiles, faults: readonly Fault[]): void {
  const fixtures = readdirSync(folder).filter((name) => name.startsWith('busted-'))
  expect(fixtures.sort()).toEqual(faults.map(([name]) => `busted-${name}${ending}`).sort())
}
