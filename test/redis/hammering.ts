/** Several real `serve` over one real Redis, all hammered at once on one tenant: what is admitted is counted at the answers. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hammer } from '../../bench/hammer.ts'
import { checkMessage } from '../../bench/requests.ts'
import { createFolder, type Folder, type Serving, serve } from '../cli/serving.ts'
import { newKey } from '../support/gate.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const KEY = newKey()
const QUOTA = 3000

const message = checkMessage({ 'x-api-key': KEY.key })

const policyOf = (address: string, limit: string) => `version: 1
state: { store: "${address}", timeout: 1s }
plans: { paid: { limits: [${limit}] } }
tenants: { acme: { plan: paid, apiKeys: [{ id: ci, hash: "${KEY.hash}" }] } }
routes: [{ name: read, match: { path: /v1/orders/** } }]
`

/** Declares the tests of a fleet of so many. */
export function describeHammering(count: number): void {
  describe(`${count} instances over one Redis`, () => {
    let redis: RedisServer
    let folder: Folder
    let fleet: Serving[] = []

    beforeAll(async () => {
      redis = await startRedis()
      folder = createFolder()
    })
    afterEach(async () => {
      for (const one of fleet) one.signal('SIGTERM')
      await Promise.all(fleet.map((one) => one.exit))
      fleet = []
    })
    afterAll(async () => {
      folder?.remove()
      await redis?.stop()
    })

    /** Starts them, each on a socket; resolves with their sockets. */
    async function serveFleet(prefix: string, limit: string): Promise<string[]> {
      folder.writePolicy(policyOf(`${redis.url}/?prefix=${redis.place.prefix}-${prefix}`, limit))
      const sockets = Array.from({ length: count }, (_, i) => join(folder.path, `${prefix}-${i}`))
      const start = (socket: string) =>
        serve(['--policy', folder.policyFile, '--listen', `unix:${socket}`, '--http', 'off', '--log-level', 'error'])
      fleet = await Promise.all(sockets.map(start))
      return sockets
    }

    it('admit at least 99 % of an exact quota, and never more than all of it', async () => {
      const sockets = await serveFleet('exact', `{ name: yearly, quota: ${QUOTA}/year, exact: true }`)
      const { admitted } = await hammer(sockets, message, QUOTA * 1.3)
      expect(admitted).toBeLessThanOrEqual(QUOTA)
      expect(admitted).toBeGreaterThanOrEqual(0.99 * QUOTA)
    })

    it('admit at least 95 % of a quota that they draw ahead of, and never more than all of it', async () => {
      const sockets = await serveFleet('leased', `{ name: yearly, quota: ${QUOTA}/year }`)
      const { admitted } = await hammer(sockets, message, QUOTA * 1.3)
      expect(admitted).toBeLessThanOrEqual(QUOTA)
      expect(admitted).toBeGreaterThanOrEqual(0.95 * QUOTA)
    })

    it('admit 5 of 400 at once on a limit of 5', async () => {
      const sockets = await serveFleet('five', '{ name: yearly, quota: 5/year }')
      const { admitted, refused } = await hammer(sockets, message, 400, Math.ceil(400 / count))
      expect({ admitted, refused }).toEqual({ admitted: 5, refused: 395 })
    })
  })
}
