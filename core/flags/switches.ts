/** Flags that an operator has switched off, whatever their rules say. */

export interface Switches {
  /** Whether the flag is switched off: then everybody gets the default. Asked at every evaluation, and answered from memory. */
  isOff(flag: string): boolean
}

export const NOTHING_OFF: Switches = { isOff: () => false }

/** Somebody has switched a flag. Of several of one flag the latest holds, and off of two of the same time. */
export interface FlagSwitch {
  readonly kind: 'flag-switched'
  readonly flag: string
  readonly to: 'off' | 'on'
  /** ms since the epoch. */
  readonly at: number
}

/** What is known of switches besides. */
export interface SwitchRecords extends Switches {
  /** The one that holds; undefined where nobody has switched the flag. */
  latest(flag: string): FlagSwitch | undefined
  /** Those that hold, one for each flag. */
  all(): Iterable<FlagSwitch>
}
