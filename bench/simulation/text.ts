/** Results as tables of Markdown, as `docs/capacity.md` shows them. */
import type { ByLease, ByRate } from './by-rate.ts'
import type { Need, Wanted } from './capacity.ts'
import type { GridRow } from './grid.ts'

export function gridText(grid: readonly GridRow[]): string {
  const heads = [
    'tenants',
    'instances',
    'commands/s',
    'per decision',
    'wait',
    'unused',
    'over',
    'flush later: commands/s',
    'unused',
    'over',
  ]
  const rows = grid.map(({ tenants, instances, leases, flushing }) => [
    whole(tenants),
    whole(instances),
    whole(leases.commandsPerSecond),
    leases.commandsPerDecision.toFixed(2),
    percent(leases.waiting),
    percent(leases.unused),
    percent(leases.over),
    whole(flushing.commandsPerSecond),
    percent(flushing.unused),
    percent(flushing.over),
  ])
  return markdown(heads, rows)
}

export function byRateText(rows: readonly ByRate[]): string {
  const heads = [
    'requests/s of one tenant at one instance',
    'commands per decision',
    'decisions that wait',
    'flush later: commands per decision',
  ]
  return markdown(
    heads,
    rows.map(({ perSecond, leases, waiting, flushing }) => [
      whole(perSecond),
      short(leases),
      percent(waiting),
      short(flushing),
    ]),
  )
}

export function byLeaseText(rows: readonly ByLease[]): string {
  return markdown(
    ['lease', 'requests/s of one tenant at one instance', 'a rate, its burst one second', 'a daily quota'],
    rows.map(({ leaseMs, perSecond, rate, quota }) => [`${leaseMs} ms`, whole(perSecond), short(rate), short(quota)]),
  )
}

const NEEDS: readonly (readonly [name: string, text: (need: Need) => string])[] = [
  ['CPU of the instances in use', ({ busy }) => percent(busy)],
  ['Redis commands per decision', ({ commandsPerDecision }) => short(commandsPerDecision)],
  ['decisions that wait for Redis', ({ waiting }) => percent(waiting)],
  ['Redis commands/s of the busiest tenant', ({ busiest }) => whole(busiest)],
  ['Redis commands/s for limits', ({ commandsPerSecond }) => whole(commandsPerSecond)],
  ['Redis calls/s for usage', ({ usageCallsPerSecond }) => whole(usageCallsPerSecond)],
  ['Redis primaries, 70 % busy', ({ primaries }) => whole(primaries)],
  ['network to Redis, both ways', ({ redisMegabits }) => megabits(redisMegabits)],
  ['network to the gateways', ({ gatewayMegabits }) => megabits(gatewayMegabits)],
  ['memory of Redis', ({ redisGigabytes }) => `${redisGigabytes.toPrecision(2)} GB`],
]

export function capacityText(columns: readonly { wanted: Wanted; name: string; need: Need }[]): string {
  const rows = [
    ['requests/s', ...columns.map(({ wanted }) => whole(wanted.perSecond))],
    ['instances of 2 vCPU', ...columns.map(({ wanted }) => whole(wanted.instances))],
    ['tenants; API keys', ...columns.map(({ wanted }) => `${whole(wanted.tenants)}; ${whole(wanted.keys)}`)],
    ...NEEDS.map(([name, text]) => [name, ...columns.map(({ need }) => text(need))]),
  ]
  return markdown(['', ...columns.map(({ name }) => name)], rows)
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

const whole = (value: number) => Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 0 })
const short = (value: number) => (value < 0.001 ? '< 0.001' : value < 0.1 ? value.toPrecision(2) : value.toFixed(2))
const megabits = (value: number) =>
  value >= 1000 ? `${(value / 1000).toPrecision(2)} Gbit/s` : `${Math.round(value)} Mbit/s`

/** What is not quite nothing does not look as if it were. */
function percent(share: number): string {
  if (share === 0) return '0'
  return share < 0.001 ? '< 0.1 %' : `${(share * 100).toPrecision(share < 0.1 ? 2 : 3)} %`
}
