/** The OpenFeature provider of `--flag-provider`, from its module to its end. Whoever gives the option loads the SDK; nobody else does. */
import type { Client, EventDetails, ProviderEvents } from '@openfeature/server-sdk'
import type { Policy } from '../../core/policy.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { createFewLines } from './few-lines.ts'
import { createProviderFlags, type ProviderFlags, wantsProvider } from './provider-flags.ts'
import { loadProvider } from './provider-module.ts'
import { within } from './within.ts'

export interface FlagProvider {
  readonly flags: ProviderFlags
  /** The same, whose evaluations under way are counted apart: those of one policy never cost another's requests their answer. */
  apart(): ProviderFlags
  /** Tells the provider that it is over; waits for it, but not for long. Never rejects. */
  close(): Promise<void>
}

export type OpenFlagProvider =
  | { readonly ok: true; readonly provider: FlagProvider }
  | { readonly ok: false; readonly problem: string }

/** The SDK is one for the whole process; what the module does there besides does not meet ours. */
const DOMAIN = 'tenantgate'
/** ms that a start waits for a provider to be ready; then requests get defaults until it is. */
const FIRST_WAIT_MS = 2000
const LAST_WAIT_MS = 1000

const silent = { error() {}, warn() {}, info() {}, debug() {} }

/** Runs the module, and waits for its provider a while. One that cannot be made is a problem; one that is not ready is none. */
export async function openFlagProvider(
  file: string,
  { log, metrics, elapsed }: { readonly log: Log; readonly metrics: Metrics; readonly elapsed: () => number },
): Promise<OpenFlagProvider> {
  const { OpenFeature, ProviderEvents } = await import('@openfeature/server-sdk')
  const loaded = await loadProvider(file)
  if (!loaded.ok) return loaded
  const { provider } = loaded
  // what a provider writes there itself may hold anything
  OpenFeature.setLogger(silent)
  const client = OpenFeature.getClient(DOMAIN)
  const name = String(provider.metadata.name)
  const ready = OpenFeature.setProviderAndWait(DOMAIN, provider).catch((error: unknown) => {
    // one whose `initialize` throws in place of rejecting never comes to the SDK's own events
    if (OpenFeature.getProvider(DOMAIN) !== provider) log.flagProvider(name, 'FATAL', textOf(error))
  })
  const stopTelling = tell(client, ProviderEvents, createFewLines(elapsed), (status, text) =>
    log.flagProvider(name, status, text),
  )
  metrics.addFlagProvider(() => client.providerStatus)
  await within(ready, FIRST_WAIT_MS)
  if (client.providerStatus === 'NOT_READY') log.flagProvider(name, 'NOT_READY', undefined)
  return {
    ok: true,
    provider: {
      flags: createProviderFlags(client),
      apart: () => createProviderFlags(client),
      async close() {
        stopTelling()
        await within(OpenFeature.clearProviders(), LAST_WAIT_MS)
      },
    },
  }
}

/** ms after which a change is told that was passed over, if it is how things are by then. */
const LATER_MS = 1000

/** Each change is told once, however often a provider says it, and of many in a second a few. */
function tell(
  client: Client,
  events: typeof ProviderEvents,
  passedOver: () => number | undefined,
  say: (status: string, text: string | undefined) => void,
): () => void {
  let told: string | undefined
  let latest: EventDetails | undefined
  let later: NodeJS.Timeout | undefined
  const handler = (details?: EventDetails) => {
    const now = client.providerStatus
    latest = details
    if (now === told) return
    if (passedOver() === undefined) {
      later ??= setTimeout(sayLater, LATER_MS).unref()
      return
    }
    say(now, textOf(details))
    told = now
  }
  const sayLater = () => {
    later = undefined
    handler(latest)
  }
  const changes = [events.Ready, events.Error, events.Stale]
  for (const event of changes) client.addHandler(event, handler)
  return () => {
    clearTimeout(later)
    for (const event of changes) client.removeHandler(event, handler)
  }
}

function textOf(told: unknown): string | undefined {
  const message = typeof told === 'object' && told !== null && 'message' in told ? told.message : undefined
  return typeof message === 'string' ? message : undefined
}

/** Why a policy cannot be served without the option, in words; undefined where it can. */
export function unfitWithout(provider: FlagProvider | undefined, policy: Policy): string | undefined {
  if (provider || !wantsProvider(policy)) return undefined
  return '`flags.provider` is true, and no provider is loaded: start with `--flag-provider FILE.mjs`, or name a `file:` of flags'
}
