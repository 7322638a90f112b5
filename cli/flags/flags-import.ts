/** placeholder */
import { type Io, wrongUse } from '../io.ts'

export const importFlags = async (_argv: readonly string[], io: Io): Promise<number> =>
  wrongUse(io, 'flags import: not yet')
