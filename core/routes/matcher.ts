/** Which route a request is for. Compiled once; the cost of a match does not grow with the number of routes. */
import type { Route } from '../policy.ts'

export interface RouteMatcher {
  /** `host` folded, `method` upper case, `path` canonical and decoded, without query. */
  match(host: string, method: string, path: string): Route | undefined
  readonly routes: readonly Route[]
}
