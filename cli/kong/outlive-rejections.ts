/** Keeps a process with plugins alive when one of them leaves a promise alone. */

/** From now on a rejection that nobody handles is told and ends nothing: it is the fault of one event, not of all others. */
export function outliveRejections(onFault: (fault: unknown) => void): void {
  process.on('unhandledRejection', onFault)
}
