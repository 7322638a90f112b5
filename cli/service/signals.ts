/** The signals of a running service: SIGHUP reloads, the first of those that stop it does so, the second one at once. */

const STOPPING = ['SIGTERM', 'SIGINT'] as const

/** Stops it too, where a socket may be taken over, as soon as a successor has it: a reload of Kong's is about to start one. */
export const HANDING_OVER = 'SIGUSR2'

export type StopSignal = (typeof STOPPING)[number] | typeof HANDING_OVER

export interface SignalActions {
  readonly reload: () => void
  /** Someone insists while the first signal is still being obeyed. */
  readonly insisted: () => void
  /** Whether this service knows `HANDING_OVER`. */
  readonly handsOver: boolean
}

/** Resolves with the first signal to stop. Listens for the rest of the process's life. */
export function stopSignal({ reload, insisted, handsOver }: SignalActions): Promise<StopSignal> {
  process.on('SIGHUP', reload)
  return new Promise((resolve) => {
    let stopping = false
    for (const signal of handsOver ? ([...STOPPING, HANDING_OVER] as const) : STOPPING) {
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
