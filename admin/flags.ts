/** Flags over HTTP: how each stands, and the switch by which an operator turns one off or on again, whatever its rules say. */
import { z } from 'zod'
import type { Ledger } from '../core/credentials/records.ts'
import type { Flags } from '../core/flags/evaluate.ts'
import { stepAt, stepsAfter } from '../core/flags/rollout.ts'
import type { FlagSwitch } from '../core/flags/switches.ts'
import { FLAG_NAME, FLAG_NAME_WORDS } from '../core/names.ts'
import type { FlagRules, Rollout } from '../core/policy.ts'
import { type Answer, done, type Problem, problem } from './answer.ts'
import { record } from './record.ts'
import { instantText, page, pageOf } from './words.ts'

type Rules = Pick<FlagRules, 'definition' | 'rollouts'> | undefined

/** What is known of flags, by whoever tells it. */
export interface FlagParts {
  /** Of the live policy. */
  readonly flags: () => Pick<Flags, 'names' | 'keyedBy' | 'offBy'>
  readonly policy: () => { readonly flags: Rules }
  readonly ledger: Pick<Ledger, 'switches' | 'durable'>
  /** ms since the epoch. */
  readonly now: () => number
}

export const flagsQuery = z.strictObject(page)

/** So many flags may have been switched: names are free, and each is held for good. */
export const MOST_SWITCHED = 10_000

/** Flags of the policy in its order, then those that were switched and are not in it. */
export function listFlags(part: z.output<typeof flagsQuery>, parts: FlagParts): Answer {
  const { ledger, now } = parts
  const flags = parts.flags()
  const { flags: rules } = parts.policy()
  const known = new Set(flags.names)
  const others = [...ledger.switches.all()].map(({ flag }) => flag).filter((flag) => !known.has(flag))
  const { shown, total } = pageOf([...known, ...others], part)
  const at = now()
  const told = shown.map((name) => {
    const rollout = rules?.rollouts.get(name)
    return {
      name,
      known: known.has(name),
      ...stateOf(name, flags, ledger.switches.latest(name)),
      keyedBy: flags.keyedBy(name),
      ...(rollout && { rollout: standingOf(rollout, at) }),
    }
  })
  return done(200, { flags: told, total, provider: isProvided(rules), durable: ledger.durable })
}

/** Whether a provider outside evaluates the flags: nobody here knows which there are besides those that the policy names. */
export function isProvided(rules: Pick<FlagRules, 'definition'> | undefined): boolean {
  return rules !== undefined && rules.definition === undefined
}

function stateOf(name: string, flags: ReturnType<FlagParts['flags']>, latest: FlagSwitch | undefined) {
  if (latest?.to === 'off') return { state: 'off', by: 'switch', since: instantText(latest.at) }
  const by = flags.offBy(name)
  return by === undefined ? { state: 'on' } : { state: 'off', by }
}

function standingOf(rollout: Rollout, now: number) {
  const [next] = stepsAfter(rollout, now)
  const { from, percent = 0 } = stepAt(rollout, now) ?? {}
  return {
    variant: rollout.variant,
    percent,
    ...(from !== undefined && { since: instantText(from) }),
    ...(next && { next: { from: instantText(next.from), percent: next.percent } }),
  }
}

/** What a switch works with, whoever asks for it. */
export interface SwitchParts {
  readonly ledger: Pick<Ledger, 'switches' | 'durable' | 'add'>
  /** Whether there is a flag of this name; undefined where nobody here knows. */
  readonly knows: (flag: string) => boolean | undefined
  /** ms since the epoch. */
  readonly now: () => number
}

/** For a switch of the live policy's flags. */
export function knowsFlag(flag: string, { flags, policy }: Pick<FlagParts, 'flags' | 'policy'>): boolean | undefined {
  return isProvided(policy().flags) ? undefined : flags().names.includes(flag)
}

/**
 * Switches the flag. One that the policy does not know can be switched too, since it may learn of it later: the answer says so. What
 * is so already stays as it is.
 */
export async function switchFlag(flag: string, to: FlagSwitch['to'], parts: SwitchParts): Promise<Answer> {
  const { ledger } = parts
  let changed = false
  const refused = await record(ledger, () => {
    const planned = plan(flag, to, parts)
    changed = !('ok' in planned) && planned.length > 0
    return planned
  })
  if (refused) return refused
  const latest = ledger.switches.latest(flag)
  const known = parts.knows(flag)
  return done(200, {
    flag,
    state: to,
    changed,
    ...(latest && { since: instantText(latest.at) }),
    ...(known !== undefined && { known }),
    durable: ledger.durable,
  })
}

function plan(flag: string, to: FlagSwitch['to'], { ledger, now }: SwitchParts): readonly FlagSwitch[] | Problem {
  const latest = ledger.switches.latest(flag)
  if ((latest?.to ?? 'on') === to) return []
  if (!latest && !FLAG_NAME.test(flag)) {
    return problem(
      'unknown_flag',
      `No flag can be called '${flag}': a name is ${FLAG_NAME_WORDS} and this one was never switched.`,
    )
  }
  if (!latest && countOf(ledger.switches.all()) >= MOST_SWITCHED) {
    return problem('too_many_switches', `${MOST_SWITCHED} flags were switched already, and no more may be.`)
  }
  // later than what it takes the place of, also where that was written by a clock that goes ahead of ours
  return [{ kind: 'flag-switched', flag, to, at: Math.max(now(), (latest?.at ?? 0) + 1) }]
}

function countOf(entries: Iterable<unknown>): number {
  let count = 0
  for (const _ of entries) count += 1
  return count
}
