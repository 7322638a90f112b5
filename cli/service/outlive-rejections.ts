/** Keeps a process that serves alive when somebody in it leaves a promise alone: one event's plugin, or a library. */

/** From now on a rejection that nobody handles is told and ends nothing: it is the fault of one call, not of all others. */
export function outliveRejections(onFault: (fault: unknown) => void): void {
  process.on('unhandledRejection', onFault)
}
