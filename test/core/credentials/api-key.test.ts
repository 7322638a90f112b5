/** What is published of API keys: the pattern by which secret scanners find them. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { API_KEY_PATTERN, createApiKey } from '../../../core/credentials/api-key.ts'
import { packageRoot } from '../../../package-root.ts'

const pattern = new RegExp(API_KEY_PATTERN)

describe('the pattern for secret scanners', () => {
  it('finds every key that is made, in the middle of a text', () => {
    for (const env of ['live', 'test', 'a', 'x'.repeat(16)]) {
      const key = createApiKey(env, randomBytes)
      for (const text of [
        key,
        `key="${key}"`,
        `KEY=${key}\n`,
        `https://h/?k=${key}&x=1`,
        `MY_${key}_OLD`,
        `key%3D${key}`,
      ]) {
        expect(pattern.exec(text)?.[0]).toBe(key)
      }
    }
  })

  it.each([
    'tg_live_short',
    'tg_LIVE_',
    `tg_live_${'a'.repeat(31)}_${'b'.repeat(6)}`,
    `tg_live_${'a'.repeat(32)}-${'b'.repeat(6)}`,
  ])('finds nothing in %s', (text) => {
    expect(pattern.test(text)).toBe(false)
  })

  it('is the one that the guide prints', () => {
    expect(readFileSync(join(packageRoot, 'docs', 'credentials.md'), 'utf8')).toContain(`    ${API_KEY_PATTERN}\n`)
  })
})
