/** A policy around a flag file, for what is told of that file and made of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFlags, type Flags } from '../../../core/flags/evaluate.ts'
import { type ParseResult, parsePolicy } from '../../../policy/parse.ts'
import type { Problem } from '../../../policy/problem.ts'

/** What `flags:` of the policy holds besides the file, such as rollouts. */
export type More = Readonly<Record<string, unknown>>

/** `content` is the flag file's, a text or what is made one of; undefined where it is to be read. */
export function policyWith(file: string, content?: unknown, more: More = {}): ParseResult {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  const policy = {
    version: 1,
    plans: { free: { limits: [] } },
    tenants: {},
    flags: { file, ...more },
    routes: [{ name: 'all', match: { path: '/**' } }],
  }
  return parsePolicy(JSON.stringify(policy), {
    file: 'policy.yaml',
    readFile: (path) => ({ text: content === undefined ? readFileSync(path, 'utf8') : text }),
    env: {},
  })
}

export function problemsWith(file: string, content?: unknown, more?: More): readonly Problem[] {
  const result = policyWith(file, content, more)
  return result.ok ? [] : result.problems
}

/** The definition that decisions are made by; throws with what is told of a bad file. */
export function definitionOf(content: unknown, more?: More): string {
  const result = policyWith(join('/', 'flags.json'), content, more)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.parts.head.flags?.definition ?? ''
}

export function flagsOf(content: unknown, more?: More): Flags {
  return createFlags(definitionOf(content, more))
}
