/** Asks several servers at once, as fast as they answer, and counts what they admit. */
import { loadAuthorization } from '../ext-authz/service.ts'
import { openCaller } from './caller.ts'

/** Under way at each server. */
const STREAMS = 16

export interface Hammered {
  readonly admitted: number
  readonly refused: number
}

/** `total` Checks with this message, `streams` under way at each server, by whichever has room; rejects where one is not answered. */
export async function hammer(
  sockets: readonly string[],
  message: Buffer,
  total: number,
  streams = STREAMS,
): Promise<Hammered> {
  const { responseDeserialize } = loadAuthorization().Check
  const callers = sockets.map((socket) => openCaller(socket))
  let left = total
  let admitted = 0
  let refused = 0
  const lanes = callers.flatMap((caller) =>
    Array.from({ length: streams }, async () => {
      while (left > 0) {
        left -= 1
        const answer = responseDeserialize(await caller.call(message))
        if ((answer.status?.code ?? 0) === 0) admitted += 1
        else refused += 1
      }
    }),
  )
  try {
    await Promise.all(lanes)
  } finally {
    for (const caller of callers) caller.close()
  }
  return { admitted, refused }
}
