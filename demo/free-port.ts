/** Ports of the loopback interface. */
import { type AddressInfo, createServer } from 'node:net'

/** `wanted` when nobody listens there, otherwise a free one. Somebody else may still be quicker: whoever binds must cope. */
export async function freePort(wanted = 0): Promise<number> {
  return (await bindable(wanted)) ?? (await bindable(0)) ?? 0
}

/** The port that a short listening on 127.0.0.1 gets; undefined when it cannot be had. */
function bindable(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: actual } = server.address() as AddressInfo
      server.close(() => resolve(actual))
    })
  })
}
