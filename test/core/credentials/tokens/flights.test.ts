/** The same token at the same time: one verification, and a bounded number of requests that wait for it. */
import { expect, it } from 'vitest'
import { createFlights } from '../../../../core/credentials/tokens/flights.ts'
import type { Verdict } from '../../../../core/credentials/verdict.ts'

const PROVEN: Verdict = { kind: 'jwt', credential: 'ann', roles: [], scopes: [] }

function deferred() {
  let resolve = (_: Verdict) => {}
  const verdict = new Promise<Verdict>((done) => {
    resolve = done
  })
  return { verdict, resolve: () => resolve(PROVEN) }
}

it('who joins has the same verdict, and nothing is left of it when it is there', async () => {
  const flights = createFlights()
  const { verdict, resolve } = deferred()
  const own = flights.begin('hash', verdict)
  const joined = flights.join('hash')
  expect(flights.join('other')).toBeUndefined()
  resolve()
  expect(await own).toBe(PROVEN)
  expect(await joined).toBe(PROVEN)
  expect([flights.size, flights.join('hash')]).toEqual([0, undefined])
})

it('of one token no more join than the bound, and another token has places of its own', async () => {
  const flights = createFlights(2)
  const { verdict, resolve } = deferred()
  for (const hash of ['a', 'b']) void flights.begin(hash, verdict)
  const joined = [flights.join('a'), flights.join('a'), flights.join('b')]
  expect(flights.join('a')).toBe('full')
  resolve()
  expect(await Promise.all(joined)).toEqual([PROVEN, PROVEN, PROVEN])
  void flights.begin('a', deferred().verdict)
  expect(flights.join('a')).toBeInstanceOf(Promise)
})

it('a verification that breaks is over, and the next one begins anew', async () => {
  const flights = createFlights()
  await expect(flights.begin('a', Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(flights.join('a')).toBeUndefined()
})
