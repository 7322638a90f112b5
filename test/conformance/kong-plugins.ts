/** Our plugins, served to Kong from this process on a Unix socket, deciding at noon. */
import { createServer } from 'node:net'
import type { Policy } from '../../core/policy.ts'
import { createDecider } from '../../kong/decider.ts'
import { createPluginServer, type Limits } from '../../kong/plugin-server/server.ts'
import * as tenantAuth from '../../plugins/tenant-auth.ts'
import * as tenantFlags from '../../plugins/tenant-flags.ts'
import * as tenantGate from '../../plugins/tenant-gate.ts'
import * as tenantQuota from '../../plugins/tenant-quota.ts'
import { type GivenParts, gateAtNoon } from './gate-at-noon.ts'

export const PLUGINS = new Map(
  Object.entries({
    'tenant-gate': tenantGate,
    'tenant-auth': tenantAuth,
    'tenant-quota': tenantQuota,
    'tenant-flags': tenantFlags,
  }),
)

export interface ServedPlugins {
  /** Forgets what the limits have counted. */
  reset(): void
  stop(): Promise<void>
}

export async function servePlugins(
  policy: Policy,
  socket: string,
  parts?: GivenParts,
  limits: Partial<Limits> = {},
): Promise<ServedPlugins> {
  const { gate, reset } = gateAtNoon(policy, parts)
  const onFault = (fault: unknown) => {
    throw fault
  }
  const elapsed = () => performance.now()
  const plugins = createPluginServer({
    plugins: PLUGINS,
    decide: createDecider({ decide: gate.decide, onFault, elapsed }),
    onFault,
    onRejected: (plugin, because) => onFault(new Error(`${plugin}: ${because}`)),
    now: Date.now,
    elapsed,
    firstInstanceId: 1 + Math.floor(Math.random() * 1_000_000),
    limits,
  })
  const server = createServer((connection) => plugins.accept(connection))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return {
    reset,
    stop: async () => {
      server.close()
      await plugins.drain(1000)
    },
  }
}
