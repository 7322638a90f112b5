/** Texts for people at a terminal. */

/** Lines of columns, the first row being their names. */
export function asTable(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable))
  const widths = (shown[0] ?? []).map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)))
  const lineOf = (row: readonly string[]) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')
  return shown.map((row) => `${lineOf(row).trimEnd()}\n`).join('')
}

/** What clients have chosen must not steer a terminal, nor turn a line around: such characters are written as their number. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (odd) => `\\u{${odd.codePointAt(0)?.toString(16)}}`)
}
