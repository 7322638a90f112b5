/** Rules are compiled when they are evaluated, and not to tell what stands beside them. */
import { describe, expect, it } from 'vitest'
import { createFlags } from '../../../core/flags/evaluate.ts'

describe('a flag', () => {
  it('is listed without its rule: one that cannot be compiled is told like all others', () => {
    // no policy has such a flag: there is nothing that could be made of it
    const broken = { state: 'DISABLED', metadata: { targetingKey: 'user' } }
    const text = JSON.stringify({ flags: { broken, other: { ...broken, state: 'ENABLED', metadata: {} } } })
    const flags = createFlags(text)
    expect(flags.names.map((name) => [name, flags.keyedBy(name), flags.offBy(name)])).toEqual([
      ['broken', 'user', 'file'],
      ['other', 'tenant', undefined],
    ])
    expect(flags.valueOf('other', 'on')).toBeUndefined()
    expect(flags.evaluate('other', 'x', {})).toEqual({ value: 'x', reason: 'ERROR', errorCode: 'GENERAL' })
  })

  it('has the metadata of the set where it has none of that name of its own', () => {
    const of = (metadata: object) => ({ state: 'ENABLED', variants: { on: true }, defaultVariant: 'on', metadata })
    const flags = createFlags(
      JSON.stringify({ metadata: { targetingKey: 'user' }, flags: { a: of({}), b: of({ targetingKey: 'tenant' }) } }),
    )
    expect(['a', 'b', '__proto__', 'toString'].map((name) => flags.keyedBy(name))).toEqual([
      'user',
      'tenant',
      'tenant',
      'tenant',
    ])
  })
})
