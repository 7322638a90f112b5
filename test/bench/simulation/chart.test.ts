/** Pictures of the simulation. */
import { describe, expect, it } from 'vitest'
import { chartSvg } from '../../../bench/simulation/chart.ts'

const axis = { ticks: [1, 10, 100], isLog: true, text: String }
const chart = (name: string, points: readonly (readonly [number, number])[]) =>
  chartSvg({
    title: 'a < b & c',
    about: 'what it shows',
    x: { ...axis, label: 'x' },
    y: { ...axis, label: 'y' },
    lines: [{ name, points }],
  })

describe('a picture', () => {
  it('says what it shows, has colours for dark paper, and no text of it becomes markup', () => {
    const svg = chart('"quoted"', [[1, 1]])
    expect(svg).toContain('<title id="title">a &lt; b &amp; c</title>')
    expect(svg).toContain('<desc id="about">what it shows</desc>')
    expect(svg).toContain('prefers-color-scheme:dark')
    expect(svg).toContain('&quot;quoted&quot;')
  })

  it('a step of the same factor is as wide everywhere, and what lies outside stays at the edge', () => {
    const path = (points: readonly (readonly [number, number])[]) =>
      /class="line c0" d="M([^"]+)"/.exec(chart('a', points))?.[1]
    const [first, second, third] = (
      path([
        [1, 1],
        [10, 10],
        [100, 100],
      ]) ?? ''
    )
      .split('L')
      .map((point) => point.split(' ').map(Number))
    expect((second?.[0] ?? 0) - (first?.[0] ?? 0)).toBeCloseTo((third?.[0] ?? 0) - (second?.[0] ?? 0), 0)
    expect(path([[1000, 1000]])).toBe(path([[100, 100]]))
  })
})
