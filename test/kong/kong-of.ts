/** A `kong` object over a request of the harness: what a plugin asks of it is answered as Kong's Lua would. */
import type { Kong } from '../../kong/pdk.ts'
import type { PdkRequest } from './harness/pdk-request.ts'

export function kongOf({ call }: Pick<PdkRequest, 'call'>): Kong {
  const ask =
    (method: string) =>
    async (...args: unknown[]): Promise<never> =>
      call(`kong.${method}`, args) as never
  return {
    ctx: { shared: { get: ask('ctx.shared.get'), set: ask('ctx.shared.set') } },
    request: { getHeaders: ask('request.get_headers') },
    nginx: { getVar: ask('nginx.get_var') },
    client: { authenticate: ask('client.authenticate') },
    service: {
      setUpstream: ask('service.set_upstream'),
      request: { setHeaders: ask('service.request.set_headers') },
    },
    response: { setHeaders: ask('response.set_headers'), exit: ask('response.exit') },
  }
}
