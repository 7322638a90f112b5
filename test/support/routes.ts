/** A route with nothing but what it matches. */
import type { Route, RouteMatch } from '../../core/policy.ts'

/** Enforced, for all hosts and methods unless told, with nothing required. */
export function route(name: string, path: string, match: Partial<RouteMatch> = {}): Route {
  return {
    name,
    match: { path, versions: [], methods: [], hosts: [], ...match },
    anonymous: false,
    mode: 'enforce',
    require: { scopes: [], anyScope: [], roles: [], anyRole: [] },
    cost: 1,
    limits: [],
    upstream: undefined,
  }
}
