/** `npm run bench`, or `npm run bench -- decide check`: measures and prints; it judges nothing. */
import { benchCandidate } from './candidate.ts'
import { benchCertificates } from './certificates.ts'
import { benchCheck } from './check.ts'
import { benchCredentials } from './credentials.ts'
import { benchDecide } from './decide.ts'
import { benchDirectory } from './directory.ts'
import { benchFaults } from './faults.ts'
import { benchFlags } from './flags.ts'
import { benchFleet } from './fleet.ts'
import { benchFloods } from './floods.ts'
import { benchHits } from './hits.ts'
import { benchLimits } from './limits.ts'
import { benchMemory } from './memory.ts'
import { benchRatelimit } from './ratelimit.ts'
import { benchRedisLimits } from './redis-limits.ts'
import { benchReload } from './reload.ts'
import { benchRoutes } from './routes.ts'
import { machineText, type Table, tableText } from './table.ts'
import { benchThrottle } from './throttle.ts'
import { benchUsage } from './usage.ts'

const PARTS: Readonly<Record<string, () => Promise<Table>>> = {
  decide: benchDecide,
  candidate: benchCandidate,
  limits: benchLimits,
  credentials: benchCredentials,
  certificates: benchCertificates,
  routes: benchRoutes,
  check: benchCheck,
  hits: benchHits,
  ratelimit: benchRatelimit,
  flags: benchFlags,
  throttle: benchThrottle,
  usage: benchUsage,
  reload: benchReload,
  memory: benchMemory,
  floods: benchFloods,
  fleet: benchFleet,
  faults: benchFaults,
  redis: benchRedisLimits,
  directory: benchDirectory,
}

/** Takes minutes, or wants a server: measured only where it is named. */
const LONG: ReadonlySet<string> = new Set(['floods', 'fleet', 'faults', 'directory', 'redis'])
const EVERYDAY = Object.keys(PARTS).filter((name) => !LONG.has(name))

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) {
  process.stderr.write(`there is no part ${unknown.join(', ')}; the parts are ${Object.keys(PARTS).join(', ')}\n`)
  process.exitCode = 2
} else {
  process.stdout.write(`${machineText()}\n`)
  for (const name of asked.length > 0 ? asked : EVERYDAY) {
    const table = await PARTS[name]?.()
    if (table) process.stdout.write(`\n${tableText(table)}\n`)
  }
}
