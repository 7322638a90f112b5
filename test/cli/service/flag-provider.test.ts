/** An OpenFeature provider from its module to its end: the real SDK, modules as users write them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OpenFeatureEventEmitter, ProviderEvents, ProviderFatalError } from '@openfeature/server-sdk'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FlagProvider, openFlagProvider } from '../../../cli/service/flag-provider.ts'
import { NOTHING_OFF } from '../../../core/flags/switches.ts'
import { createLog } from '../../../telemetry/log.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import { mood } from '../../fixtures/flag-providers/moody.mjs'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/flag-providers/${name}.mjs`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tg-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let lines: Record<string, unknown>[]
let at = 0
let opened: FlagProvider | undefined
beforeEach(() => {
  lines = []
  Object.assign(mood, {
    initialize: async () => {},
    resolve: async (value: unknown) => ({ value }),
    events: new OpenFeatureEventEmitter(),
    closed: 0,
    close: async () => {},
  })
})
afterEach(async () => {
  await opened?.close()
  opened = undefined
})

async function open(file: string) {
  const log = createLog('debug', { write: (line) => void lines.push(JSON.parse(line)) })
  const metrics = createMetrics(Date.now)
  const read = await openFlagProvider(file, { log, metrics, elapsed: () => at })
  if (!read.ok) throw new Error(read.problem)
  opened = read.provider
  const flags = opened.flags(NOTHING_OFF)
  return {
    evaluate: (flag: string, fallback: string | number | boolean | string[], context = {}) =>
      flags.evaluate(flag, fallback, context),
    provider: opened,
    async status() {
      const { text } = await metrics.scrape()
      return /^tenantgate_flag_provider_status\{status="(\w+)"\} 1$/m.exec(text)?.[1]
    },
  }
}

const statuses = () => lines.map(({ status }) => status)

describe('the module of --flag-provider', () => {
  it('may export a provider', async () => {
    const { evaluate } = await open(fixture('by-plan'))
    const canary = { value: 'orders-canary', variant: 'canary', reason: 'TARGETING_MATCH' }
    expect(await evaluate('orders-backend', 'orders-stable', { plan: 'enterprise' })).toEqual(canary)
    expect(await evaluate('orders-backend', 'orders-stable', { plan: 'free' })).toMatchObject({ variant: 'stable' })
  })

  it('may export a function that makes one, such as the InMemoryProvider of the SDK', async () => {
    const { evaluate, status } = await open(fixture('in-memory'))
    const canary = { value: 'orders-canary', variant: 'canary', reason: 'TARGETING_MATCH' }
    expect(await evaluate('orders-backend', 'orders-stable', { tenant: 'acme' })).toEqual(canary)
    expect(await evaluate('orders-backend', 'orders-stable', { 'header:x-app-version': '2' })).toEqual(canary)
    expect(await evaluate('orders-backend', 'orders-stable', { tenant: 'globex' })).toMatchObject({ variant: 'stable' })
    expect(await evaluate('most', 1)).toEqual({ value: 3, variant: 'few', reason: 'STATIC' })
    expect(await evaluate('open', false)).toEqual({ value: true, variant: 'yes', reason: 'STATIC' })
    expect(await evaluate('colours', [])).toEqual({ value: ['red'], variant: 'warm', reason: 'STATIC' })
    expect(await evaluate('gone', false)).toEqual({ value: false, reason: 'DISABLED' })
    expect(await evaluate('nobody', 'x')).toEqual({ value: 'x', reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' })
    expect(await evaluate('most', 'x')).toMatchObject({ value: 'x', reason: 'ERROR' })
    expect(await status()).toBe('ready')
  })

  it.each([
    ['is not there', undefined, /none\.mjs could not be loaded: Cannot find module/],
    ['is no JavaScript', 'export default {', /could not be loaded/],
    ['throws', 'throw new Error("no licence")', /could not be loaded: no licence/],
    ['has no default export', 'export const provider = {}', /no provider as its default export/],
    ['makes nothing', 'export default () => null', /no provider as its default export/],
    ['makes it wrongly', 'export default () => Promise.reject(new Error("no host"))', /could not be loaded: no host/],
    ['has no name', 'export default {}', /no `metadata.name`/],
    [
      'lacks a method',
      'export default { metadata: { name: "x" }, resolveBooleanEvaluation() {} }',
      /no `resolveString/,
    ],
    ['is for browsers', 'export default { metadata: { name: "x" }, runsOn: "client" }', /for the client/],
  ])('that %s is refused with words', async (_, text, problem) => {
    const file = join(folder, text === undefined ? 'none.mjs' : `${lines.length}-${Math.random()}.mjs`)
    if (text !== undefined) writeFileSync(file, text)
    await expect(open(file)).rejects.toThrow(problem)
  })
})

describe('a provider', () => {
  it('that is not ready yet costs nobody an answer, and is ready when it says so', async () => {
    let isReady = () => {}
    mood.initialize = () =>
      new Promise<void>((resolve) => {
        isReady = resolve
      })
    mood.resolve = async () => ({ value: 'canary', reason: 'STATIC' })
    const { evaluate, status } = await open(fixture('moody'))
    expect(await status()).toBe('not_ready')
    expect(statuses()).toEqual(['NOT_READY'])
    const waiting = { value: 'stable', reason: 'ERROR', errorCode: 'PROVIDER_NOT_READY' }
    expect(await evaluate('f', 'stable')).toEqual(waiting)
    isReady()
    await expect.poll(status).toBe('ready')
    expect(await evaluate('f', 'stable')).toEqual({ value: 'canary', reason: 'STATIC' })
    expect(statuses()).toEqual(['NOT_READY', 'READY'])
  })

  it('that fails for good answers defaults, and is told as an error without the secrets of its words', async () => {
    mood.initialize = () =>
      Promise.reject(new ProviderFatalError('no eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'))
    const { evaluate, status } = await open(fixture('moody'))
    expect(await status()).toBe('fatal')
    expect(await evaluate('f', 'stable')).toEqual({ value: 'stable', reason: 'ERROR', errorCode: 'PROVIDER_FATAL' })
    expect(lines).toMatchObject([{ level: 'error', provider: 'moody', status: 'FATAL', because: 'no [credential]' }])
  })

  it('whose `initialize` throws is told of too, and answers defaults', async () => {
    mood.initialize = () => {
      throw new Error('no host')
    }
    const { evaluate, status } = await open(fixture('moody'))
    expect(await status()).toBe('not_ready')
    expect(await evaluate('f', 'stable')).toMatchObject({ value: 'stable', reason: 'ERROR' })
    expect(lines).toContainEqual(expect.objectContaining({ status: 'FATAL', because: 'no host' }))
  })

  it('tells each change once: what it says again is no line of the log', async () => {
    const { evaluate, status } = await open(fixture('moody'))
    const say = (event: ProviderEvents, message: string) => mood.events.emit(event as never, { message })
    for (const event of [ProviderEvents.Stale, ProviderEvents.Stale, ProviderEvents.Error, ProviderEvents.Ready]) {
      say(event, 'as it is')
    }
    expect(statuses()).toEqual(['READY', 'STALE', 'ERROR', 'READY'])
    say(ProviderEvents.Stale, 'no connection')
    expect(await status()).toBe('stale')
    // stale is still an answer
    expect(await evaluate('f', 'stable')).toMatchObject({ value: 'stable', reason: 'UNKNOWN' })
  })

  it('tells ten changes a second at most, and how it is at last', async () => {
    const { status } = await open(fixture('moody'))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      for (let i = 0; i < 5001; i += 1) {
        mood.events.emit((i % 2 === 0 ? ProviderEvents.Stale : ProviderEvents.Ready) as never, {})
      }
      expect(statuses()).toEqual(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 'READY' : 'STALE')))
      mood.events.emit(ProviderEvents.Error as never, { message: 'its source is away' })
      expect(await status()).toBe('error')
      at += 1000
      vi.advanceTimersByTime(1000)
      expect(lines.slice(10)).toMatchObject([{ status: 'ERROR', because: 'its source is away' }])
    } finally {
      vi.useRealTimers()
    }
  })

  it.each([
    ['throws', () => Promise.reject(new Error('broken'))],
    ['throws what is no error', () => Promise.reject('broken')],
    ['answers nothing', async () => undefined],
  ])('that %s costs nobody an answer', async (_, resolve) => {
    mood.resolve = resolve as never
    const { evaluate } = await open(fixture('moody'))
    expect(await evaluate('f', 'stable')).toEqual({ value: 'stable', reason: 'ERROR', errorCode: 'GENERAL' })
  })

  it('is told when it is over, once, and says nothing any more', async () => {
    const { provider } = await open(fixture('moody'))
    await provider.close()
    expect(mood.closed).toBe(1)
    mood.events.emit(ProviderEvents.Stale as never, {})
    expect(statuses()).toEqual(['READY'])
  })

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['does not come back', () => new Promise<void>(() => {})],
  ])('that %s when it is told that it is over does not keep us from our end', async (_, close) => {
    const { provider } = await open(fixture('moody'))
    mood.close = close
    await provider.close()
  })
})
