/** What a sidecar's log says that whoever runs the demo should see: a policy or flags that were saved and are bad, and the like. */

/** Words for the terminal, of one or more lines; undefined for a line of the log that is neither a warning nor an error. */
export function troubleIn(line: string): string | undefined {
  const fields = fieldsOf(line)
  if (!fields) return undefined
  const { level, time: _, msg, problems, notes, ...more } = fields
  if (level !== 'warn' && level !== 'error') return undefined
  const rest = Object.keys(more).length === 0 ? '' : ` ${JSON.stringify(more)}`
  const list = [problems, notes].flatMap((texts) => (Array.isArray(texts) ? texts : []))
  return [`the sidecar: ${msg}${rest}`, ...list.map((text) => `  ${text}`)].join('\n')
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line)
    return typeof fields === 'object' && fields !== null ? { ...fields } : undefined
  } catch {
    return undefined
  }
}
