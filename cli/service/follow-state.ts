/** From the state file to the records that decisions ask, now and whenever the file changes. */
import { resolve } from 'node:path'
import { watchFiles } from '../../policy/file-changes.ts'
import { currentStamp } from '../../policy/files.ts'
import { openStateFile, SETTLE_MS, type StateFile } from '../../stores/records/state-file.ts'
import type { Log } from '../../telemetry/log.ts'

export interface FollowedState {
  readonly state: StateFile
  /** Reads the file again now. */
  reload(): Promise<void>
  close(): void
}

export type FollowState =
  | { readonly ok: true; readonly followed: FollowedState }
  | { readonly ok: false; readonly problem: string }

/** Milliseconds between looks, for changes that no notification tells of. */
const POLL_MS = 2000

/** Reads the file and follows it. A bad one is an answer at first; later what was known holds. */
export async function followState(file: string, log: Log, now: () => number): Promise<FollowState> {
  const path = resolve(file)
  const opened = await openStateFile({
    path,
    now,
    onProblem: (problem) => log.stateRead(problem),
    onMended: () => log.stateRead(undefined),
    onLost: (lost, before, after) => log.stateLost(lost, before, after),
    onTorn: (place) => log.stateTorn(place),
  })
  if (!opened.ok) return opened
  const { state } = opened
  const changes = watchFiles(POLL_MS, () => void look())
  let isLooking = false
  let isChanged = false
  let again: NodeJS.Timeout | undefined

  /** Changes that come while the file is read are read once more, all together. */
  async function look(): Promise<void> {
    isChanged = true
    if (isLooking) return
    isLooking = true
    while (isChanged) {
      isChanged = false
      const stamp = await currentStamp(path)
      const isSettled = await state.look()
      clearTimeout(again)
      if (!isSettled) again = setTimeout(look, SETTLE_MS).unref()
      changes.follow(new Map([[path, stamp]]))
    }
    isLooking = false
  }

  function close(): void {
    clearTimeout(again)
    changes.close()
  }

  await look()
  return { ok: true, followed: { state, reload: look, close } }
}
