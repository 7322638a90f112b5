/** Prints what was measured, and on what machine. */
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Figure } from './measure.ts'

export interface Table {
  readonly title: string
  /** What ratios are to; undefined where there are none. */
  readonly reference?: string
  readonly figures: readonly Figure[]
  /** Printed below. */
  readonly notes?: readonly string[]
}

/** Two lines: figures without their machine are worth nothing. */
export function machineText(): string {
  const list = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  const load = loadavg().map((value) => value.toFixed(1))
  return `${new Date().toISOString().slice(0, 16)}Z, ${list.length} × ${list[0]?.model.trim() ?? 'unknown processor'}, ${memory} GB
Node ${process.versions.node}, ${process.platform} ${release()}, load ${load.join(' ')} (1, 5, 15 minutes)`
}

const COLUMNS = ['least', 'median', 'budget', 'ratio'] as const

export function tableText({ title, reference, figures, notes = [] }: Table): string {
  const rows = figures.map((figure) => [figure.name, ...cellsOf(figure)])
  const heads = ['', ...COLUMNS]
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  const first = reference === undefined ? title : `${title}; ratio to: ${reference}`
  return [first, line(heads), ...rows.map(line), ...notes].join('\n')
}

function cellsOf({ unit, least, median, budget, ratio }: Figure): string[] {
  return [
    `${rounded(least)} ${unit}`,
    `${rounded(median)} ${unit}`,
    budget === undefined ? '' : `${budget} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(2),
  ]
}

/** Three digits that count. */
function rounded(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3)
}
