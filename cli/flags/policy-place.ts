/** Where the verbs of `flags` that only look have their answer from: a policy file, a running service or a Redis. */

import type { Answer } from '../../admin/answer.ts'
import type { OutlookParts } from '../../admin/flag-outlook.ts'
import type { FlagParts } from '../../admin/flags.ts'
import { StoreAway } from '../../admin/store-away.ts'
import type { Policy } from '../../core/policy.ts'
import { loadPolicy } from '../../policy/load.ts'
import { nearest } from '../../policy/nearest.ts'
import { formatProblem } from '../../policy/problem.ts'
import { PLACE_SPECS } from '../admin/server-options.ts'
import type { Recorded } from '../explain-fresh.ts'
import type { Io } from '../io.ts'
import { type KeyPlace, keyPlaceOf, WHERE } from '../keys/key-place.ts'
import type { Options } from '../options.ts'
import { withPolicyInRedis } from '../policy-in-redis.ts'
import { recordedIn } from '../recorded-in.ts'
import { REDIS_SPECS } from '../redis-options.ts'
import { flagsOf } from '../service/provider-flags.ts'

export const LOOK_SPECS = { ...PLACE_SPECS, ...REDIS_SPECS, state: { type: 'string' } } as const

type Given = Options<typeof LOOK_SPECS>

/** A text says what is wrong. */
export function lookPlaceOf(given: Given, argv: readonly string[], env: Io['env']): KeyPlace | string {
  const place = keyPlaceOf(given, argv, env) ?? WHERE
  if (typeof place === 'string' || place.kind === 'policy') return place
  const isAsked = argv.some((part) => /^--state(?:=|$)/.test(part))
  return isAsked ? '--state is for --policy FILE; a service and a Redis have their own' : place
}

type Work = (parts: OutlookParts & FlagParts) => Answer | Promise<Answer>

export type Looked =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  /** Each a line. */
  | { readonly ok: false; readonly problems: readonly string[] }

/** At a service `path` is asked, with a body by POST; elsewhere the same is done here by `work`. */
export async function look(
  place: KeyPlace,
  state: string | undefined,
  io: Io,
  { path, body, work }: { readonly path: string; readonly body?: object; readonly work: Work },
): Promise<Looked> {
  if (place.kind === 'server') {
    const answer = await place.client.ask(body ? 'POST' : 'GET', path, body)
    return answer.ok ? answer : no([answer.problem])
  }
  const by = async (policy: Policy, recorded: Recorded) => lookedOf(await asked(work, policy, recorded))
  if (place.kind === 'redis') {
    const done = await withPolicyInRedis(place.place, io.env, by)
    return 'ok' in done ? done : no(done)
  }
  const loaded = loadPolicy(place.file, io.env)
  if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem) }
  const recorded = await recordedIn(state)
  return typeof recorded === 'string' ? no([`--state: ${recorded}`]) : by(loaded.policy, recorded)
}

function no(problems: readonly string[]): Looked {
  return { ok: false, problems: problems.map((problem) => `tenantgate: flags: ${problem}`) }
}

async function asked(work: Work, policy: Policy, { switches }: Recorded): Promise<Answer | StoreAway> {
  const flags = flagsOf(policy, undefined, switches)
  const parts = {
    policy: () => policy,
    flags: () => flags,
    ledger: { switches, durable: true },
    nearest,
    now: Date.now,
  }
  try {
    return await work(parts)
  } catch (error) {
    if (error instanceof StoreAway) return error
    throw error
  }
}

function lookedOf(answer: Answer | StoreAway): Looked {
  if (answer instanceof StoreAway) return no([answer.message])
  return answer.ok ? answer : no([answer.detail])
}
