/** What is logged of an OpenFeature provider. */
import type { Logger } from 'pino'
import { maskAndCut } from '../core/mask-secrets.ts'

export interface FlagProviderLog {
  /** It has become READY, STALE, ERROR or FATAL, or is NOT_READY after a while; `because` is what it says itself. */
  flagProvider(name: string, status: string, because: string | undefined): void
  /** One is loaded, and the policy names no provider. */
  flagProviderIdle(): void
}

/** Others have written it. */
const LONGEST_TEXT = 512

const KINDS: Readonly<Record<string, readonly [level: 'info' | 'warn' | 'error', text: string]>> = {
  READY: ['info', 'the flag provider is ready'],
  STALE: ['warn', 'the flag provider is stale: its answers may be old'],
  NOT_READY: ['warn', 'the flag provider is not ready yet, requests get defaults until it is'],
  ERROR: ['error', 'the flag provider has failed'],
  FATAL: ['error', 'the flag provider has failed for good, requests get defaults'],
}

export function flagProviderLog(logger: Logger): FlagProviderLog {
  return {
    flagProvider(name, status, because) {
      const [level, text] = KINDS[status] ?? ['error', 'the flag provider is in a state that is not known']
      const said = because === undefined ? undefined : maskAndCut(because, LONGEST_TEXT)
      logger[level]({ provider: maskAndCut(name, LONGEST_TEXT), status, because: said }, text)
    },
    flagProviderIdle: () =>
      logger.warn('a flag provider is loaded, and the policy does not ask it: that takes `flags: { provider: true }`'),
  }
}
