/** A flag file that changes under traffic through a real Envoy: no request is decided by a broken one, and each fault is told once. */
import { closeSync, openSync, renameSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exchange } from '../../demo/smoke/exchange.ts'
import { createFolder, policyText } from '../cli/serving.ts'
import { until } from '../support/until.ts'
import { type ServedEnvoy, startServedEnvoy } from './served-envoy.ts'

const folder = createFolder()
const file = join(folder.path, 'flags.json')
let served: ServedEnvoy

/** Large enough that half of it is broken in its middle. */
const flagsTo = (variant: string) =>
  JSON.stringify({
    flags: {
      'orders-backend': {
        state: 'ENABLED',
        variants: { stable: 'orders-stable', canary: 'orders-canary', beta: 'orders-beta' },
        defaultVariant: 'stable',
        targeting: { if: [{ '==': [{ var: 'tenant' }, 'acme'] }, variant, null] },
      },
      note: { state: 'ENABLED', variants: { long: 'x'.repeat(20_000) }, defaultVariant: 'long' },
    },
  })

/** In one step. */
function put(text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

beforeAll(async () => {
  writeFileSync(file, flagsTo('canary'))
  folder.writePolicy(
    policyText(folder.key, 'flags: flags.json\n')
      .replace('{ default: orders-stable }', '{ default: orders-stable, flag: orders-backend }')
      .replace('[orders-stable]', '[orders-stable, orders-canary, orders-beta]'),
  )
  served = await startServedEnvoy(folder)
})
afterAll(() => served.stop())

async function backend(): Promise<string> {
  const answer = await exchange(served.envoy.port, { path: '/v1/orders/1', headers: { 'x-api-key': folder.key } })
  return answer.status === 200 ? (JSON.parse(answer.body) as { backend: string }).backend : String(answer.status)
}

/** Where requests go, one after another, until `isOver`; each name once, in the order in which it came first. */
async function seenUntil(isOver: (where: string) => boolean): Promise<readonly string[]> {
  const seen = new Set<string>()
  await until(async () => {
    const where = await backend()
    seen.add(where)
    return isOver(where) || undefined
  })
  return [...seen]
}

const seenTo = (last: string) => seenUntil((where) => where === last)
const rejections = () => served.sidecar.lines.filter(({ msg }) => msg === 'policy rejected, the last good one stays')

/** While the file is so; the requests that are sent until that is told, and as many after it. */
async function seenWhileBroken(): Promise<readonly string[]> {
  const before = rejections().length
  const seen = new Set(await seenUntil(() => rejections().length > before))
  for (let request = 0; request < 100; request++) seen.add(await backend())
  expect(rejections()).toHaveLength(before + 1)
  return [...seen]
}

it('is followed where another is renamed over it, and where it is written in place', async () => {
  expect(await backend()).toBe('orders-canary')
  put(flagsTo('beta'))
  for (const where of await seenTo('orders-beta')) expect(['orders-canary', 'orders-beta']).toContain(where)
  writeFileSync(file, flagsTo('canary'))
  for (const where of await seenTo('orders-canary')) expect(['orders-canary', 'orders-beta']).toContain(where)
})

it('leaves the last good one while it is half written, and is taken when it is whole', async () => {
  const text = flagsTo('beta')
  const writer = openSync(`${file}.new`, 'w')
  writeSync(writer, text.slice(0, text.length / 2))
  renameSync(`${file}.new`, file)
  expect(await seenWhileBroken()).toEqual(['orders-canary'])
  expect(rejections().at(-1)?.problems).toEqual([expect.stringMatching(/flags\.json:1:\d+: is not JSON/)])
  writeSync(writer, text.slice(text.length / 2))
  closeSync(writer)
  for (const where of await seenTo('orders-beta')) expect(['orders-canary', 'orders-beta']).toContain(where)
})

it.each([
  ['is empty', () => truncateSync(file, 0), /flags\.json:1:1: /],
  ['is not there', () => rmSync(file), /`flags\.json` does not exist/],
  ['names no upstream', () => put(flagsTo('stable').replace('"orders-beta"', '"gone"')), /`gone`/],
])('leaves the last good one while it %s, says so once, and says when it is well again', async (_, spoil, words) => {
  expect(await backend()).toBe('orders-beta')
  const recoveries = () => served.sidecar.lines.filter(({ msg }) => msg === 'policy unchanged').length
  const before = recoveries()
  spoil()
  expect(await seenWhileBroken()).toEqual(['orders-beta'])
  expect(rejections().at(-1)?.problems).toEqual([expect.stringMatching(words)])
  put(flagsTo('beta'))
  expect(await seenUntil(() => recoveries() > before)).toEqual(['orders-beta'])
})
