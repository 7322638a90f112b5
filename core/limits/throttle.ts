/** Requests that a limit delays instead of refusing: how long each may wait, and how many may. */

/** Who waits, and for whom: bounded for the process and for each tenant. */
export interface Throttle {
  /**
   * For how long a request of this tenant may be held back now, in ms; 0 when too many wait already. `timeLeftMs` is what its
   * gateway still waits, less than which it must be answered.
   */
  patienceMs(tenant: string, timeLeftMs: number | undefined): number
  /** Resolves after `ms`. */
  wait(tenant: string, ms: number): Promise<void>
}
