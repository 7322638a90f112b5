/** The signals of a running service: SIGHUP reloads, the first SIGTERM or SIGINT stops it, the second one at once. */

const STOPPING = ['SIGTERM', 'SIGINT'] as const
export type StopSignal = (typeof STOPPING)[number]

export interface SignalActions {
  readonly reload: () => void
  /** Someone insists while the first signal is still being obeyed. */
  readonly insisted: () => void
}

/** Resolves with the first signal to stop. Listens for the rest of the process's life. */
export function stopSignal({ reload, insisted }: SignalActions): Promise<StopSignal> {
  process.on('SIGHUP', reload)
  return new Promise((resolve) => {
    let stopping = false
    for (const signal of STOPPING) {
      process.on(signal, () => {
        if (stopping) insisted()
        stopping = true
        resolve(signal)
      })
    }
  })
}

/** Until a service serves there is nothing to reload, and the signal's default would end it: called first. */
export function keepFromHangup(): void {
  process.on('SIGHUP', () => {})
}
