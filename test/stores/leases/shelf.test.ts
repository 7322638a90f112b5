/** Who has a place where all are taken. */
import { describe, expect, it } from 'vitest'
import { createShelf, type Held } from '../../../stores/leases/shelf.ts'
import { burst, charge } from '../../contract/limit-store/given.ts'

const MOST = 100
const of = (tenant: string, i: number) => charge(burst, { tenant, who: `${i}` })

function flooded(at = 0) {
  const left: Held[] = []
  const shelf = createShelf(MOST, (held) => left.push(held))
  const flood = (from: number, to: number, elapsed: number) => {
    for (let i = from; i < to; i += 1) shelf.open(of('acme', i), elapsed)
  }
  const heldOf = (tenant: string) => [...shelf.keys()].filter((key) => key.startsWith(`${tenant}/`)).length
  flood(0, MOST, at)
  return { shelf, left, flood, heldOf }
}

describe('where all places are taken by one tenant', () => {
  it('another tenant has one of them, though they are in use', () => {
    const { shelf, left, heldOf } = flooded(500)
    const globex = shelf.open(of('globex', 0), 900)
    expect(globex && shelf.holds(globex)).toBe(true)
    expect(left).toHaveLength(1)
    expect([shelf.size, heldOf('acme'), heldOf('globex')]).toEqual([MOST, MOST - 1, 1])
  })

  it('a newcomer of its own has none of those in use', () => {
    const { shelf, left } = flooded(500)
    expect(shelf.open(of('acme', MOST), 900)).toBeUndefined()
    expect(left).toEqual([])
  })

  it('others share them with it evenly at most, and then all stay', () => {
    const { shelf, heldOf } = flooded()
    for (let i = 0; i < MOST; i += 1) shelf.open(of('globex', i), 1)
    expect([heldOf('acme'), heldOf('globex')]).toEqual([MOST / 2, MOST / 2])
    const before = [...shelf.keys()]
    for (const tenant of ['acme', 'globex']) expect(shelf.open(of(tenant, 2 * MOST), 2)).toBeUndefined()
    expect([...shelf.keys()]).toEqual(before)
    expect(shelf.open(of('initech', 0), 3)).toBeDefined()
  })

  it('those of the same take stay, whoever asks for more of them', () => {
    const { shelf, left } = flooded(900)
    expect(shelf.open(of('globex', 0), 900)).toBeUndefined()
    expect(left).toEqual([])
  })

  it('those leave first that were used least lately, and none that waits for the store', () => {
    const { shelf, left } = flooded()
    for (let i = 0; i < MOST; i += 1) {
      const held = shelf.find(of('acme', i).key)
      if (held && i % 4 === 0) held.isDrawing = true
      if (held && i % 4 === 1) held.asking = 1
      if (held && i % 4 === 2) held.lastUse = 10
    }
    for (let i = 0; i < 10; i += 1) shelf.open(of('globex', i), 20)
    expect(left).toHaveLength(10)
    expect(left.map(({ isDrawing, asking, lastUse }) => ({ isDrawing, asking, lastUse }))).toEqual(
      left.map(() => ({ isDrawing: false, asking: 0, lastUse: 0 })),
    )
  })
})

describe('what is not in use', () => {
  it('of a tenant with fewer is not forgotten for a flood, until it was not used for a minute', () => {
    const { shelf, flood } = flooded()
    const globex = shelf.open(of('globex', 0), 500)
    for (let s = 1; s <= 60; s += 1) flood(s * 1000, s * 1000 + 300, s * 1000)
    expect(globex && shelf.holds(globex)).toBe(true)
    flood(61_000, 61_300, 61_000)
    expect(globex && shelf.holds(globex)).toBe(false)
  })

  it('of the tenant that holds most makes room for others', () => {
    const { shelf, left } = flooded()
    const busy = shelf.find(of('acme', 0).key)
    if (busy) busy.lastUse = 1000
    for (let i = 0; i < 10; i += 1) expect(shelf.open(of('globex', i), 1000)).toBeDefined()
    expect(busy && shelf.holds(busy)).toBe(true)
    expect(left).toHaveLength(10)
  })
})

it('what was taken out has left its place to others', () => {
  const { shelf, heldOf } = flooded()
  expect(shelf.remove(of('acme', 7).key)).toBe(true)
  expect(shelf.remove(of('acme', 7).key)).toBe(false)
  expect(shelf.open(of('acme', MOST), 1)).toBeDefined()
  expect([shelf.size, heldOf('acme')]).toEqual([MOST, MOST])
  for (const key of [...shelf.keys()]) shelf.remove(key)
  for (let i = 0; i < MOST; i += 1) shelf.open(of('globex', i), 1)
  expect(heldOf('globex')).toBe(MOST)
})
