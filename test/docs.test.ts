/** What the documents show works as it is shown. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clientHeaders } from '../core/answer.ts'
import { DENIALS } from '../core/decision.ts'
import { packageRoot } from '../package-root.ts'
import { gateOf, newKey, policyOf } from './support/gate.ts'

const read = (file: string) => readFileSync(join(packageRoot, file), 'utf8')
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

/** What links can name: the headings, in the form that GitHub gives them. */
function anchorsOf(document: string): ReadonlySet<string> {
  const headings = [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase())
  return new Set(headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')))
}

describe('documents', () => {
  it.each(documents)('%s: every link within the repository leads to a file, and to a heading of it', (document) => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)]
    const dead = links.filter(([, target, heading]) => {
      const file = target ? join(dirname(document), target) : document
      return !existsSync(join(packageRoot, file)) || (heading !== undefined && !anchorsOf(file).has(heading))
    })
    expect(dead.map(([link]) => link)).toEqual([])
  })

  it("the README's policy is one, with the hash of a key and the demo's flags", () => {
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(read('README.md')) ?? []
    const text = example.replace('sha256:…', newKey().hash)
    expect(policyOf(text, { 'flags.json': read('demo/flags.json') }).routes.routes).toHaveLength(2)
  })

  it('the example of limits.md is a policy, and what it says of its headers is what clients are told', async () => {
    const text = read('docs/limits.md')
    const [, example = ''] = /\n\n((?: {4}.*\n)+)/.exec(text) ?? []
    const key = newKey()
    const policy = policyOf(`version: 1
${example.replaceAll(/^ {4}/gm, '').replace(', billingDay', `, apiKeys: [{ id: app, hash: "${key.hash}" }], billingDay`)}
routes: [{ name: all, match: { path: /** } }]`)
    const { ask } = gateOf(policy)
    const answer = await ask({ headers: { 'x-api-key': key.key } })
    if (answer.decision === 'deny') throw new Error(answer.because)
    const told = Object.fromEntries(clientHeaders(answer))
    expect(text).toContain(`ratelimit-policy: ${told['ratelimit-policy']}\n`)
    expect(text).toContain(`    x-ratelimit-limit: ${told['x-ratelimit-limit']}\n`)
    expect(text.replace('r=48211093112;', 'r=50000000000;')).toContain(`    ratelimit: ${told.ratelimit}\n`)
  })

  it.each(documents)('%s: every `tenantgate explain` names what it needs', (document) => {
    const commands = [...read(document).matchAll(/^ {4}.*tenantgate explain (.*)$/gm)].map(
      ([, options = '']) => options,
    )
    expect(commands.filter((options) => !/--request|--host/.test(options))).toEqual([])
  })

  it('the policy of ratelimit.md for those who come without one is one', () => {
    const [, example = ''] = /\n\n((?: {7}.*\n)+)/.exec(read('docs/ratelimit.md')) ?? []
    expect(policyOf(example.replaceAll(/^ {7}/gm, '')).routes.routes).toHaveLength(1)
  })

  it('operations.md lists every code of a refusal with its status', () => {
    const table = read('docs/operations.md')
    for (const [code, { status }] of Object.entries(DENIALS)) {
      expect(table).toMatch(new RegExp(`^\\| ${status} \\| .*\`${code}\``, 'm'))
    }
  })
})
