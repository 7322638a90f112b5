/** The form of the compatibility table: a feature of envoyproxy/ratelimit, its files, and calls with what they answer. */

/** `plan=free user=7`: entries of key and value; a value may hold `=`, and no space. */
export interface AskedDescriptor {
  readonly of: string
  readonly hits?: number
  /** `5/minute`; a word that is no unit stands for a number that the protocol does not know. */
  readonly limit?: string
}

export interface Call {
  /** Seconds since `START`; default 0. The real clock of another service cannot be set: such calls are asked only of ours. */
  readonly at?: number
  /** Default `shop`. */
  readonly domain?: string
  readonly ask: readonly (string | AskedDescriptor)[]
  /** Of the request; default 0, which is 1. */
  readonly hits?: number
  /**
   * `ok: 4/5 minute burst, free` or `over_limit: over 0/5 minute, unlimited`: the code, then for each descriptor what is
   * left, limit, unit and name; or `invalid`.
   */
  readonly is: string
  /** `X-Limit: 5, X-Left: 4, X-Reset: 60`. */
  readonly headers?: string
  readonly metadata?: object
  /** Seconds until reset, of each descriptor that has a limit. */
  readonly reset?: readonly number[]
}

export interface RowSettings {
  readonly headers?: boolean
  readonly shadow?: boolean
  readonly quota?: boolean
  readonly sparing?: boolean
  readonly metadata?: boolean
  readonly mergeDomains?: boolean
}

export interface Row {
  readonly name: string
  /** By path in the folder. A text alone is a file `shop.yaml`. */
  readonly files: string | Readonly<Record<string, string>>
  readonly settings?: RowSettings
  readonly calls: readonly Call[]
  /** Why we answer otherwise than envoyproxy/ratelimit. */
  readonly differs?: string
}

/** A configuration that nobody loads. */
export interface RefusedRow {
  readonly name: string
  readonly files: string | Readonly<Record<string, string>>
  readonly settings?: RowSettings
  /** `line:column path: message`, of each problem, in their order. */
  readonly problems: readonly string[]
  readonly differs?: string
}

/** Unix ms; the first second of a year of 365 days, of a month of 30, a week, a day, an hour and a minute. */
export const START = 0

export const HEADERS = { limit: 'RateLimit-Limit', remaining: 'RateLimit-Remaining', reset: 'RateLimit-Reset' }

/** The files of a row by their path. */
export function filesOf({ files }: Pick<Row, 'files'>): Readonly<Record<string, string>> {
  return typeof files === 'string' ? { 'shop.yaml': files } : files
}
