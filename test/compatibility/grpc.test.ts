/** Every row of the compatibility table holds over real gRPC, by the parts that `serve --ratelimit-config` is made of. */
import { describe, expect, it } from 'vitest'
import { REFUSED, TABLE } from './cases/index.ts'
import { checkRow, settingsOf } from './driver.ts'
import { overGrpc } from './grpc-driver.ts'
import { filesOf } from './row.ts'

for (const [part, rows] of Object.entries(TABLE)) {
  describe(part, () => {
    it.each(rows)('$name', (row) => checkRow(row, overGrpc))
  })
}

describe('a configuration with a problem is not served', () => {
  it.each(REFUSED.slice(0, 3))('$name', async (row) => {
    await expect(overGrpc(filesOf(row), settingsOf(row.settings))).rejects.toThrow(/domain/)
  })
})
