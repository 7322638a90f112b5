/** The two adapters as their servers call them, in this process: which upstream does a request get? */
import type { Gate } from '../../cli/service/gate.ts'
import { createCheck } from '../../ext-authz/check.ts'
import { isRefusal } from '../../kong/apply-decision.ts'
import { createDecider } from '../../kong/decider.ts'
import { readHanded, readRequest } from '../../kong/read-request.ts'

/** The upstream of a request with these headers; throws for one that is refused. */
export type Ask = (path: string, headers: Readonly<Record<string, string>>) => Promise<string | undefined>

const HOST = 'gateway.test'

export function throughEnvoysAdapter({ decide }: Gate): Ask {
  const check = createCheck(decide)
  return async (path, headers) => {
    const http = { id: 'r', method: 'GET', host: HOST, path, headers }
    const { okResponse } = await check({ attributes: { request: { http } } })
    if (!okResponse) throw new Error('refused')
    return okResponse.headers.find(({ header }) => header.key === 'x-tenantgate-upstream')?.header.value
  }
}

export function throughKongsAdapter({ decide }: Gate): Ask {
  const onFault = (fault: unknown) => {
    throw fault
  }
  const decider = createDecider({ decide, onFault, elapsed: () => performance.now() })
  const parts = new Set(['auth', 'quota', 'flags'] as const)
  const applied = { stage: 'gate' as const, parts, unguarded: false, setConsumer: true, setUpstream: true }
  let count = 0
  return async (path, headers) => {
    count += 1
    const id = `r-${count}`
    const handed = { id, requestId: id, method: 'GET', target: path, host: HOST, headers, address: '192.0.2.7' }
    const text = JSON.stringify(handed)
    const read = readHanded(text)
    if (typeof read === 'string') throw new Error(read)
    const answer = await decider.answer(readRequest(read), { ...applied, id }, text)
    if (isRefusal(answer)) throw new Error('refused')
    return answer.upstream
  }
}
