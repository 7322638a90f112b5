/** A picture of lines, as SVG that can be read on light and on dark paper. */

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly isDashed?: boolean
}

export interface Axis {
  readonly label: string
  readonly ticks: readonly number[]
  readonly isLog: boolean
  readonly text: (value: number) => string
}

export interface Chart {
  readonly title: string
  /** What it shows, for those who cannot see it. */
  readonly about: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

const [WIDTH, HEIGHT] = [720, 400]
const PLOT = { left: 70, top: 44, right: 28, bottom: 96 } as const
const COLOURS = ['#0b7285', '#c2410c', '#7048a8', '#3f7d20', '#a61e4d'] as const
const DARK_COLOURS = ['#4cc9e0', '#ff9f5a', '#c4a5f0', '#8fd06a', '#ff86a8'] as const

export function chartSvg(chart: Chart): string {
  const { title, about, x, y, lines } = chart
  const placed = { x: placer(x, PLOT.left, WIDTH - PLOT.right), y: placer(y, HEIGHT - PLOT.bottom, PLOT.top) }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title about">
<title id="title">${escaped(title)}</title>
<desc id="about">${escaped(about)}</desc>
<style>${style()}</style>
<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="6"/>
<text class="title" x="${PLOT.left}" y="26">${escaped(title)}</text>
${[...axisX(x, placed.x), ...axisY(y, placed.y), ...lines.flatMap((line, i) => drawn(line, i, placed))].join('\n')}
</svg>
`
}

type Place = (value: number) => number

function placer({ ticks, isLog }: Axis, from: number, to: number): Place {
  const scale = isLog ? Math.log10 : (value: number) => value
  const [first, last] = [scale(ticks[0] ?? 1), scale(ticks.at(-1) ?? 1)]
  return (value) => {
    const part = (scale(value) - first) / (last - first)
    return Number((from + Math.min(1, Math.max(0, part)) * (to - from)).toFixed(1))
  }
}

function axisX({ label, ticks, text }: Axis, place: Place): string[] {
  const bottom = HEIGHT - PLOT.bottom
  return [
    ...ticks.flatMap((tick) => [
      `<path class="grid" d="M${place(tick)} ${PLOT.top}V${bottom}"/>`,
      `<text class="middle" x="${place(tick)}" y="${bottom + 17}">${escaped(text(tick))}</text>`,
    ]),
    `<text class="middle" x="${(PLOT.left + WIDTH - PLOT.right) / 2}" y="${bottom + 37}">${escaped(label)}</text>`,
  ]
}

function axisY({ label, ticks, text }: Axis, place: Place): string[] {
  const middle = (PLOT.top + HEIGHT - PLOT.bottom) / 2
  return [
    ...ticks.flatMap((tick) => [
      `<path class="grid" d="M${PLOT.left} ${place(tick)}H${WIDTH - PLOT.right}"/>`,
      `<text class="end" x="${PLOT.left - 8}" y="${place(tick) + 4}">${escaped(text(tick))}</text>`,
    ]),
    `<text class="middle" x="16" y="${middle}" transform="rotate(-90 16 ${middle})">${escaped(label)}</text>`,
  ]
}

const PER_ROW = 3
const LEGEND_WIDTH = (WIDTH - PLOT.left) / PER_ROW

function drawn({ name, points, isDashed }: Line, index: number, { x, y }: { x: Place; y: Place }): string[] {
  const look = `class="line c${index % COLOURS.length}"${isDashed ? ' stroke-dasharray="7 5"' : ''}`
  const left = PLOT.left + (index % PER_ROW) * LEGEND_WIDTH
  const top = HEIGHT - 34 + Math.floor(index / PER_ROW) * 18
  return [
    `<path ${look} d="M${points.map(([atX, atY]) => `${x(atX)} ${y(atY)}`).join('L')}"/>`,
    `<path ${look} d="M${left} ${top - 4}h24"/>`,
    `<text x="${left + 30}" y="${top}">${escaped(name)}</text>`,
  ]
}

function style(): string {
  const colours = (list: readonly string[]) => list.map((colour, i) => `.c${i}{stroke:${colour}}`).join('')
  return `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}
.paper{fill:#fff}.grid{stroke:#d8dee4;fill:none}.line{fill:none;stroke-width:2.2;stroke-linejoin:round}${colours(COLOURS)}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.grid{stroke:#30363d}${colours(DARK_COLOURS)}}`
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
