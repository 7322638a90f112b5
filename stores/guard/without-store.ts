/** What limits answer while the store that all instances share is away: each by its own rule. */
import { openCounter, viewOf } from '../../core/limits/counter.ts'
import type { Charge, ChargeState, Limit, LimitStore, OnStoreFailure } from '../../core/limits/limit.ts'
import { createMemoryLimits } from '../memory-limits.ts'
import type { Owed } from './owed.ts'
import { leftSince, shareOf, usedOfShare } from './share.ts'

export interface WithoutStoreParts {
  /** What the store has told last of the charge's bucket, and when by `elapsed`. */
  readonly lastTold: (charge: Charge) => { readonly state: ChargeState; readonly at: number } | undefined
  /** How many instances were there when the store was seen last. */
  readonly instances: () => number
  /** ms from anywhere, never going back. */
  readonly elapsed: () => number
  readonly owed: Owed
}

/** Answers in the same tick. */
export interface WithoutStore {
  /** All enforced charges or none, each by its rule; what `local` admits is owed to the store. */
  take(charges: readonly Charge[], now: number, patienceMs?: number): ChargeState[]
  look(charges: readonly Charge[], now: number, patienceMs?: number): ChargeState[]
  /** As if all were of `local`. */
  lookAtShares(charges: readonly Charge[], now: number, patienceMs?: number): ChargeState[]
  /** A take that was answered so, all of `local`, does not come about after all: answers how its limits stand then. */
  untake(charges: readonly Charge[], states: readonly ChargeState[], now: number): ChargeState[]
  /** Owes all of it, whatever the rule: it has happened. */
  adjust(charges: readonly Charge[], now: number): ChargeState[]
  /** The store has answered: who comes next begins with what it has told. */
  beginAnew(): void
}

/** An outage may last: what counts meanwhile is smaller than a store that counts everything. */
const BOUNDS = { perSeries: 20_000, perTenant: 40_000, total: 200_000 }
/** What a client that is refused by `deny` is told to wait, ms: nobody knows when the store is back. */
const RETRY_MS = 1000

export const ruleOf = ({ limit }: Charge): OnStoreFailure => limit.onStoreFailure ?? 'local'
type RuleOf = typeof ruleOf
const LOCAL: RuleOf = () => 'local'

export function createWithoutStore({ lastTold, instances, elapsed, owed }: WithoutStoreParts): WithoutStore {
  const shares = createShares(instances)
  let local = createMemoryLimits(BOUNDS)

  /** The same charge to this instance's share, which has its part of what was left and not all of it. */
  function localCharge(charge: Charge, now: number): Charge {
    const mine = { ...charge, limit: shares.of(charge.limit) }
    const view = local.bucket(mine, charge.key, now)
    if (view instanceof Promise || (view.used > 0 && charge.limit.kind === 'rate')) return mine
    const told = lastTold(charge)
    const left = told && leftSince(charge.limit, told.state, elapsed() - told.at)
    const used = usedOfShare(charge, mine.limit, left, shares.instances()) + Math.max(0, owed.of(charge, now))
    // of a quota also what the store has told since, as it was charged by this instance and by others
    if (used > view.used) local.adjust([{ ...mine, cost: used - view.used }], now)
    return mine
  }

  /** In the order of the charges: those of `local` in their turn, the others by their rule. */
  function ask(
    verb: 'take' | 'look' | 'adjust',
    charges: readonly Charge[],
    of: RuleOf,
    now: number,
    patienceMs?: number,
  ): ChargeState[] {
    const mine = charges.filter((charge) => of(charge) === 'local').map((charge) => localCharge(charge, now))
    const states = inMemory(local[verb](mine, now, patienceMs))
    let next = 0
    return charges.map((charge) => {
      const withoutStore = of(charge)
      const state = withoutStore === 'local' ? states[next++] : byRule(charge, withoutStore, now)
      if (!state) throw new RangeError('a take answers each charge')
      return { ...state, limit: charge.limit, withoutStore }
    })
  }

  function adjust(charges: readonly Charge[], now: number): ChargeState[] {
    const states = ask('adjust', charges, ruleOf, now)
    charges.forEach((charge, i) => {
      owed.add(charge, states[i]?.resetMs ?? 0, now, instances())
    })
    return states
  }

  return {
    take(charges, now, patienceMs) {
      const isDenied = charges.some((charge) => ruleOf(charge) === 'deny' && charge.limit.mode !== 'shadow')
      const states = ask(isDenied ? 'look' : 'take', charges, ruleOf, now, patienceMs)
      const isNothingTaken = isDenied || !isTaken(states)
      charges.forEach((charge, i) => {
        const state = states[i]
        if (isNothingTaken || !state?.admitted || ruleOf(charge) !== 'local' || charge.cost === 0) return
        owed.add(charge, state.resetMs, now, shares.instances())
      })
      return states
    },
    look: (charges, now, patienceMs) => ask('look', charges, ruleOf, now, patienceMs),
    lookAtShares: (charges, now, patienceMs) => ask('look', charges, LOCAL, now, patienceMs),
    untake: (charges, states, now) =>
      states.map((state, i) => {
        const charge = charges[i]
        if (!charge?.cost || !state.admitted) return state
        const [again = state] = adjust([{ ...charge, cost: -charge.cost }], now)
        return { ...state, remaining: again.remaining, resetMs: again.resetMs, delayMs: 0 }
      }),
    adjust,
    beginAnew() {
      local = createMemoryLimits(BOUNDS)
    },
  }
}

/** Each limit's share, one for each number of instances. */
function createShares(instances: () => number) {
  let shares = new WeakMap<Limit, Limit>()
  let of = 0
  return {
    of(limit: Limit): Limit {
      if (of !== instances()) {
        of = instances()
        shares = new WeakMap()
      }
      const known = shares.get(limit) ?? shareOf(limit, of)
      shares.set(limit, known)
      return known
    },
    /** Of how many the share that was asked for last is one. */
    instances: () => of,
  }
}

export const isTaken = (states: readonly ChargeState[]): boolean =>
  states.every(({ admitted, limit }) => admitted || limit.mode === 'shadow')

/** Of a limit that is not counted meanwhile: nothing is used of it, or everything. */
function byRule(charge: Charge, rule: 'allow' | 'deny', now: number): ChargeState {
  const { state } = viewOf(openCounter(undefined, charge, now), charge, charge.key, now)
  const admitted = rule === 'allow'
  return { ...state, admitted, remaining: admitted ? state.remaining : 0, retryAfterMs: admitted ? 0 : RETRY_MS }
}

function inMemory(states: ReturnType<LimitStore['take']>): readonly ChargeState[] {
  if (states instanceof Promise) throw new TypeError('memory answers at once')
  return states
}
