/** The handler reads, asks, and translates: in the same tick where it can. */
import { expect, it } from 'vitest'
import type { GatewayRequest } from '../../core/request.ts'
import { canonicalPath } from '../../core/routes/canonical-path.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { checkOf } from './client.ts'
import { allowOf, denyOf } from './decisions.ts'

it('answers at once when the decision is there at once', () => {
  expect(createCheck(() => allowOf())(checkOf())).toMatchObject({ status: { code: 0 } })
})

it('answers later when the decision comes later', async () => {
  const answer = createCheck(async () => denyOf())(checkOf())
  expect(answer).toBeInstanceOf(Promise)
  expect(await answer).toMatchObject({ deniedResponse: { status: { code: 401 } } })
})

it('asks about a Check without attributes like about a request that no policy lets pass', () => {
  let asked: GatewayRequest | undefined
  createCheck((request) => {
    asked = request
    return denyOf({ reason: 'malformed_request' })
  })({})
  expect(canonicalPath(asked?.path ?? '/')).toBeUndefined()
  expect(asked?.headers).toEqual({})
})
