/** CPU to find a request's route, by the number of routes: what it costs must not grow with them. */
import type { Route, RouteMatch, RouteMatcher } from '../core/policy.ts'
import { canonicalPath } from '../core/routes/canonical-path.ts'
import { foldHost } from '../core/routes/host.ts'
import { compileRoutes } from '../core/routes/matcher.ts'
import { equalRoutes } from '../core/routes/pattern.ts'
import { route } from '../test/support/routes.ts'
import { measureSteps, noiseText, reference, type Step } from './measure.ts'
import type { Table } from './table.ts'

const COUNTS = [10, 1000, 10_000]

/** A request as a gateway tells it. */
interface Asked {
  readonly host: string
  readonly path: string
}

interface Kind {
  readonly name: string
  readonly match: (index: number) => Partial<RouteMatch> & { readonly path: string }
  /** A request for the route of that index. */
  readonly asked: (index: number) => Asked
}

const GATEWAY = 'Gateway.example:8080'

const KINDS: readonly Kind[] = [
  {
    name: 'paths of their own',
    match: (index) => ({ path: `/v1/resource-${index}/list`, methods: ['GET'] }),
    asked: (index) => ({ host: GATEWAY, path: `/v1/resource-${index}/list?page=2` }),
  },
  {
    name: 'templates',
    match: (index) => ({ path: `/v1/{org}/resource-${index}/{id}`, methods: ['GET'] }),
    asked: (index) => ({ host: GATEWAY, path: `/v1/acme/resource-${index}/17?page=2` }),
  },
  {
    name: 'one template, hosts of their own',
    match: (index) => ({ path: '/v1/orders/{id}', hosts: [`tenant-${index}.api.example`], methods: ['GET'] }),
    asked: (index) => ({ host: `tenant-${index}.api.example:8080`, path: '/v1/orders/17?page=2' }),
  },
  {
    name: 'one template, wildcards of their own',
    match: (index) => ({ path: '/v1/orders/{id}', hosts: [`*.tenant-${index}.example`], methods: ['GET'] }),
    asked: (index) => ({ host: `eu.api.tenant-${index}.example:8080`, path: '/v1/orders/17?page=2' }),
  },
]

export async function benchRoutes(): Promise<Table> {
  const steps: Step[] = [reference()]
  const notes: string[] = []
  for (const kind of KINDS) {
    for (const count of COUNTS) {
      const { routes, compileMs } = compiled(kind, count)
      steps.push(stepOf(kind, routes))
      if (count === COUNTS.at(-1)) {
        notes.push(`${kind.name}: ${count.toLocaleString('en')} routes checked and compiled in ${compileMs} ms of CPU`)
      }
    }
  }
  const figures = await measureSteps(steps)
  return {
    title: 'routes: CPU to fold the host, check the path and find the route',
    reference: 'JSON.parse of 1 kB',
    figures,
    notes: [...notes, noiseText(figures[0])],
  }
}

function compiled({ match }: Kind, count: number): { readonly routes: RouteMatcher; readonly compileMs: number } {
  const list: Route[] = Array.from({ length: count }, (_, index) => {
    const { path, ...more } = match(index)
    return route(`route-${index}`, path, more)
  })
  const before = process.cpuUsage()
  if (equalRoutes(list).length > 0) throw new Error('the routes to measure are not distinct')
  const routes = compileRoutes(list)
  const { user, system } = process.cpuUsage(before)
  return { routes, compileMs: Math.round((user + system) / 1000) }
}

/** Asks for routes in turn, so that no single one stays in the processor's caches. */
function stepOf({ name, asked }: Kind, routes: RouteMatcher): Step {
  const count = routes.routes.length
  const requests = Array.from({ length: 1000 }, (_, turn) => asked((turn * 7919) % count))
  const find = ({ host, path }: Asked) => routes.match(foldHost(host) ?? '', 'GET', canonicalPath(path) ?? '')
  if (requests.some((request) => find(request) === undefined)) throw new Error('a request to measure has no route')
  let turn = 0
  return {
    name: `${name}: ${count.toLocaleString('en')}`,
    call() {
      turn = (turn + 1) % requests.length
      const request = requests[turn]
      return request && find(request)
    },
  }
}
