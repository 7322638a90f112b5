/** Every row of the compatibility table holds for the counting itself, with counters in memory. */
import { describe, expect, it } from 'vitest'
import { countHits } from '../../core/descriptors/count-hits.ts'
import { type HitsAnswer, InvalidHits } from '../../core/descriptors/descriptor.ts'
import { loadDescriptorConfig } from '../../policy/ratelimit/load.ts'
import { createMemoryHits } from '../../stores/memory-hits.ts'
import { REFUSED, TABLE } from './cases/index.ts'
import { checkRow, type Driver, type Invalid, settingsOf } from './driver.ts'
import { createTestFolder } from './folder.ts'
import { filesOf } from './row.ts'

const serve: Driver = async (files, { mergeDomains, ...settings }) => {
  const folder = createTestFolder(files)
  const loaded = loadDescriptorConfig(folder.path, { mergeDomains })
  folder.remove()
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, message }) => `${path}: ${message}`).join('; '))
  const hits = createMemoryHits()
  return {
    async ask(request, now): Promise<HitsAnswer | Invalid> {
      try {
        return await countHits(request, { config: loaded.config, hits, settings, now })
      } catch (error) {
        if (error instanceof InvalidHits) return { invalid: error.message }
        throw error
      }
    },
    close() {},
  }
}

for (const [part, rows] of Object.entries(TABLE)) {
  describe(part, () => {
    it.each(rows)('$name', (row) => checkRow(row, serve))
  })
}

describe('a configuration is refused with all its problems, each where it stands', () => {
  it.each(REFUSED)('$name', (row) => {
    const folder = createTestFolder(filesOf(row))
    const loaded = loadDescriptorConfig(folder.path, settingsOf(row.settings))
    folder.remove()
    expect(loaded.ok).toBe(false)
    if (loaded.ok) return
    const told = loaded.problems.map(({ line, column, path, message, fix }) => {
      const place = `${line}:${column}${path === '' ? '' : ` ${path}:`}`
      const text = `${place} ${message}${fix === undefined ? '' : `; write ${fix} instead`}`
      return text.replaceAll(`${folder.path}/`, '')
    })
    expect(told).toEqual(row.problems)
  })
})
