/** Nothing of an event is left behind: not of one that the plugin has answered itself, nor of one that went wrong. */
import { expect, it } from 'vitest'
import type { Kong } from '../../../kong/pdk.ts'
import { start } from './running.ts'

const EVENTS = 50_000
const AT_ONCE = 16

const endings: readonly ((kong: Kong) => Promise<unknown>)[] = [
  (kong) => kong.response.exit(401, '{"code":"missing_credential"}', { 'content-type': 'application/problem+json' }),
  async (kong) => {
    void kong.response.exit(403, '', {})
    void kong.ctx.shared.get('late')
  },
  async (kong) => {
    await kong.ctx.shared.get('request')
    return kong.response.exit(429, '', {})
  },
  () => Promise.reject(new Error('broken')),
]

it(`${EVENTS} refused events leave no event, no connection and no instance more`, { timeout: 120_000 }, async () => {
  let count = 0
  const running = await start((kong) => {
    count += 1
    return endings[count % endings.length]?.(kong)
  })
  const worker = async () => {
    while (count < EVENTS) {
      const { outcome } = await running.kong.handleEvent('gate', 'gate', {}, 'access', () => undefined)
      if (outcome !== 'exited') throw new Error(`a refused event was ${outcome}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const { ended } = running.server
  expect(ended.exited + ended.fault).toBe(count)
  expect(running.faults).toHaveLength(ended.fault)
  await expect.poll(() => running.server.connections).toBe(0)
  expect(running.server.underWay).toBe(0)
  expect(running.server.instances()).toEqual(new Map([['gate', 1]]))
})
