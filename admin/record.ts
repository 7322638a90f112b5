/** One change: planned on what is recorded at that moment, recorded as a whole, or refused. */
import type { AdminRecord, Ledger } from '../core/credentials/records.ts'
import { after, type MaybePromise } from '../core/maybe-promise.ts'
import { type Problem, problem } from './answer.ts'

/**
 * Records what `plan` answers; undefined when that is done. Plans run one at a time, so that of two clients who want the same
 * at once the second sees what the first has done.
 */
export async function record(
  ledger: Pick<Ledger, 'add'>,
  plan: () => MaybePromise<readonly AdminRecord[] | Problem>,
): Promise<Problem | undefined> {
  let refused: Problem | undefined
  const failure = await ledger.add(() =>
    after(plan(), (planned) => {
      refused = 'ok' in planned ? planned : undefined
      return 'ok' in planned ? [] : planned
    }),
  )
  return failure === undefined ? refused : problem('not_recorded', `The change is not confirmed: ${failure}`)
}
