/** What people are told of a stage. */
import { expect, it } from 'vitest'
import * as say from '../../core/explain.ts'
import { route } from '../support/routes.ts'

it('a route is told by its name and everything that it matches', () => {
  expect(say.route(undefined)).toBe('none matches host, method and path')
  expect(say.route(route('all', '/**'))).toBe('all (any method /**)')
  const narrow = { methods: ['GET', 'PUT'], versions: ['v1', 'v2'], hosts: ['a.test', '*.b.test'] }
  expect(say.route(route('orders', '/{version}/orders', narrow))).toBe(
    'orders (GET|PUT /{version}/orders version v1|v2 a.test *.b.test)',
  )
})
