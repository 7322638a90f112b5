/** What an administrator did, as audits and logs are told. */

/** A name, a number, or several values by their names, so that none of them can be taken for another. */
export type TargetValue = string | number | Readonly<Record<string, string>>

/** The value with every text in it changed. */
export function changeTexts(value: TargetValue, change: (text: string) => string): TargetValue {
  if (typeof value === 'number') return value
  if (typeof value === 'string') return change(value)
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, change(text)]))
}

/** Something that an administrator did, or was refused. */
export interface AdminEvent {
  /** Such as `key_rotated`. */
  readonly action: string
  readonly outcome: 'done' | 'refused' | 'failed'
  /** The client's own for this call, or ours. */
  readonly requestId: string
  /** Who it was, by their own account: whoever has the token may say any name. */
  readonly actor?: string
  /** Of the client of the administration. */
  readonly address: string
  /** What it was done to, as far as the request came; never a credential. */
  readonly target: Readonly<Record<string, TargetValue>>
  /** The code of a refusal. */
  readonly reason?: string
}
