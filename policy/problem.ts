/** What is wrong with a policy: where it stands, what it is, and what to write instead. */

export interface Problem {
  /** The file as the user named it. */
  readonly file: string
  /** From 1; a problem of the file as a whole stands at 1:1, and of what is no text at 0:0, which is not told. */
  readonly line: number
  readonly column: number
  /** The place in the policy, such as `tenants.acme.apiKeys[0].hash`; empty for the whole. */
  readonly path: string
  /** Holds no secret: values are quoted only where they are names. */
  readonly message: string
  /** What to write instead. */
  readonly fix?: string
}

export type PolicyPath = readonly (string | number)[]

/** A problem before its place in the text is known. */
export interface Fault {
  readonly path: PolicyPath
  readonly message: string
  readonly fix?: string
  /** `key` points at the key itself, `value` (the default) at what stands behind it. */
  readonly at?: 'key' | 'value'
  /** A second place that belongs to it; its line is added to the message. */
  readonly also?: PolicyPath
  /** Where it stands in a file that the policy names, as the policy names it; its path is one in that file. */
  readonly elsewhere?: { readonly file: string; readonly line: number; readonly column: number }
}

const PLAIN_KEY = /^[\w$-]+$/

/** `['tenants', 'acme', 'apiKeys', 0]` → `tenants.acme.apiKeys[0]`. */
export function pathText(path: PolicyPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (PLAIN_KEY.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

/** One line for people and editors: `file:line:column: path: message; write … instead`. */
export function formatProblem(problem: Problem): string {
  return lineOf(problem, '')
}

/** The same for what is no error, and perhaps not what was meant: `file:line:column: note: path: message`. */
export function formatNote(problem: Problem): string {
  return lineOf(problem, 'note')
}

function lineOf({ file, line, column, path, message, fix }: Problem, kind: string): string {
  const place = [line === 0 ? file : `${file}:${line}:${column}`, kind, path].filter((part) => part !== '').join(': ')
  return fix === undefined ? `${place}: ${message}` : `${place}: ${message}; write ${fix} instead`
}
