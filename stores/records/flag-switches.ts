/** Switches of flags in this process's memory: for each flag the one that holds. */
import type { FlagSwitch, SwitchRecords } from '../../core/flags/switches.ts'

export interface SwitchIndex extends SwitchRecords {
  add(one: FlagSwitch): void
  /** Whether what it says holds here too, or what came later. */
  covers(one: FlagSwitch): boolean
}

/** An index of nothing yet. */
export function createSwitchIndex(): SwitchIndex {
  const latest = new Map<string, FlagSwitch>()
  const off = new Set<string>()

  function covers({ flag, to, at }: FlagSwitch): boolean {
    const known = latest.get(flag)
    return known !== undefined && (known.at > at || (known.at === at && (known.to === to || known.to === 'off')))
  }

  return {
    covers,
    // asked at every evaluation: most of the time nothing is off
    isOff: (flag) => off.size > 0 && off.has(flag),
    latest: (flag) => latest.get(flag),
    all: () => latest.values(),
    add(one) {
      if (covers(one)) return
      latest.set(one.flag, Object.freeze(one))
      if (one.to === 'off') off.add(one.flag)
      else off.delete(one.flag)
    },
  }
}
