/** Which backend each tenant of a crowd reaches through a gateway, and whether those are as many as they should be. */
import { expect } from 'vitest'
import { askAll } from './ask-all.ts'
import { BY_TENANT, type Crowd, canaries, likelyCount, TENANTS } from './crowd.ts'

/** What each tenant has reached, of so many requests of all in turn; throws for one that has reached two backends. */
export async function reached(crowd: Crowd, port: number, requests: number): Promise<ReadonlyMap<string, string>> {
  const tenants = [...crowd.keys]
  const asked = Array.from({ length: requests }, (_, index) => tenants[index % tenants.length] ?? (['', ''] as const))
  const headers = asked.map(([, key]) => ({ 'x-api-key': key }))
  const answered = await askAll(port, BY_TENANT, headers)
  const got = new Map<string, string>()
  for (const [index, [tenant]] of asked.entries()) {
    const backend = answered[index] ?? ''
    if (got.has(tenant) && got.get(tenant) !== backend) throw new Error(`${tenant} was moved`)
    got.set(tenant, backend)
  }
  return got
}

/** Every tenant has reached one, and the canary so many that it is no accident. */
export function expectShare(got: ReadonlyMap<string, string>, share: number): void {
  const [least, most] = likelyCount(TENANTS, share)
  expect(got.size).toBe(TENANTS)
  expect(canaries(got).length).toBeGreaterThanOrEqual(least)
  expect(canaries(got).length).toBeLessThanOrEqual(most)
}
