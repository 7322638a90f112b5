/** Two demos on one machine do not get into each other's way. */
import { expect, it } from 'vitest'
import { freePort } from '../../demo/free-port.ts'
import { exchange } from '../../demo/smoke/exchange.ts'
import { type Stack, startStack } from '../../demo/stack.ts'

it('two that start at once on the same ports answer on ports of their own, each to its own keys', async () => {
  const ports = { port: await freePort(), httpPort: await freePort(), adminPort: await freePort() }
  const start = () => startStack({ env: process.env, ...ports, say: () => {} })
  const started = await Promise.allSettled([start(), start()])
  const stacks = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    expect(started.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(new Set(stacks.map(({ port }) => port)).size).toBe(2)
    expect(new Set(stacks.map(({ httpPort }) => httpPort)).size).toBe(2)
    expect(new Set(stacks.map(({ adminPort }) => adminPort)).size).toBe(2)
    for (const stack of stacks) expect(await statusWithOwnKey(stack)).toBe(200)
  } finally {
    for (const stack of stacks) await stack.stop()
  }
}, 120_000)

/** With a key that the other demo does not know. */
async function statusWithOwnKey({ port, credentials }: Stack): Promise<number> {
  const answer = await exchange(port, { path: '/v1/orders/42', headers: { 'x-api-key': credentials.keys.acme } })
  return answer.status
}
