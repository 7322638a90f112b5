/** `serve` with a provider that does what none should: what requests get meanwhile, and after it; and its end. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CheckClient, checkOf, createClient } from '../ext-authz/client.ts'
import { until } from '../support/until.ts'
import { createFolder, policyText, type Serving, serve } from './serving.ts'

const UNRULY = fileURLToPath(new URL('../fixtures/flag-providers/unruly.mjs', import.meta.url))
const folder = createFolder()
let serving: Serving
let client: CheckClient

beforeAll(async () => {
  folder.writePolicy(
    policyText(folder.key, 'flags: { provider: true, headers: [x-mood] }\n')
      .replace('{ default: orders-stable }', '{ default: orders-stable, flag: orders-backend }')
      .replace('[orders-stable]', '[orders-stable, orders-canary]'),
  )
  const listeners = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0']
  serving = await serve(['--policy', folder.policyFile, '--flag-provider', UNRULY, ...listeners])
  client = createClient(serving.grpc[0] ?? '')
})
afterAll(async () => {
  client.close()
  serving.signal('SIGKILL')
  await serving.exit
  folder.remove()
})

/** Where a request goes while the provider is so, and why where a rule has not said it; undefined where it goes nowhere. */
async function goes(mood: string) {
  const answer = await client.check(checkOf({ headers: { 'x-api-key': folder.key, 'x-mood': mood } }))
  const { upstream, flagReason, tenant } = answer.dynamicMetadata?.fields ?? {}
  const where = [upstream, flagReason].map((field) => (field as { stringValue?: string } | undefined)?.stringValue)
  expect((tenant as { stringValue?: string } | undefined)?.stringValue).toBe('acme')
  return 'okResponse' in answer && answer.okResponse ? where.filter(Boolean).join(' ') : undefined
}

describe('a provider that', () => {
  it.each([
    ['throws at once', 'orders-stable ERROR'],
    ['throws nothing', 'orders-stable ERROR'],
    ['answers nothing', 'orders-stable ERROR'],
    ['never answers', 'orders-stable ERROR'],
    ['rejects late', 'orders-stable ERROR'],
    ['cannot be read', 'orders-stable ERROR'],
    ['is in a mood that it does not know', 'orders-stable ERROR'],
    ['answers two thousand times', 'orders-canary'],
    ['leaves promises alone', 'orders-canary'],
    ['writes into what it was given', 'orders-canary'],
  ])('%s: the request goes to %s, and the next one is well', async (mood, where) => {
    expect(await goes(mood)).toBe(where)
    expect(await goes('well')).toBe('orders-canary')
  })

  it('keeps the thread busy: who waits for that is answered after it, and refused by nobody', async () => {
    const all = await Promise.all(['keeps the thread busy', ...Array(20).fill('well')].map(goes))
    // what the busy thread lets come too late is the default
    for (const where of all) expect(where).toMatch(/^orders-canary$|^orders-stable ERROR$/)
    expect(await goes('well')).toBe('orders-canary')
  })

  it('leaves 500 promises alone at once: each is counted as a fault', async () => {
    const faults = async () =>
      Number(/^tenantgate_faults_total (\d+)$/m.exec(await (await fetch(`${serving.http}/metrics`)).text())?.[1])
    const before = await faults()
    await Promise.all(Array.from({ length: 100 }, () => goes('leaves promises alone')))
    await until(async () => (await faults()) >= before + 500 || undefined)
  })

  it('never answers 2,000 at once: each gets the default', async () => {
    const all = await Promise.all(Array.from({ length: 2000 }, () => goes('never answers')))
    expect(new Set(all)).toEqual(new Set(['orders-stable ERROR']))
  })

  it('has failed in all these ways has told nothing of its own words, and the end is in order', async () => {
    serving.signal('SIGTERM')
    expect(await serving.exit).toBe(0)
    expect(serving.lines.at(-1)?.msg).toBe('stopped')
    const ownWords = /none of your business|unreadable|a loose end|after the end|cannot close/
    expect(ownWords.exec(serving.output())?.[0]).toBeUndefined()
  })

  it('has left so many promises alone is told of in ten lines a second', () => {
    const at = serving.lines
      .filter(({ msg }) => msg === 'a promise was left alone')
      .map(({ time }) => Date.parse(`${time}`))
    const seconds = ((at.at(-1) ?? 0) - (at[0] ?? 0)) / 1000
    expect(at.length).toBeGreaterThanOrEqual(10)
    expect(at.length).toBeLessThanOrEqual(10 * (Math.floor(seconds) + 2))
  })
})
