/** Requests that stand before the guard: opened with what a test is about, and everything else as usual. */
import { expect } from 'vitest'
import type { HandedRequest, Mark, MarkName } from '../../../kong/handover.ts'
import { markKey, REQUEST_KEY } from '../../../kong/handover.ts'
import type { Fields, LuaHost, Opened, Ran, Run, Step } from '../harness/lua-host.ts'

export interface Asked extends Partial<Omit<Opened, 'id' | 'var'>> {
  readonly target?: string
  /** nginx's `$request`, where it is not method and target. */
  readonly line?: string
  /** More of nginx's variables. */
  readonly tls?: Readonly<Record<string, string>>
}

export interface GuardedRequest {
  readonly id: string
  run(step: Step, more?: Pick<Run, 'shared' | 'patch'>): Promise<Ran>
  /** The access phase of the guard before a stage. */
  before(stage?: MarkName, patch?: Run['patch']): Promise<Ran>
  /** The access phase of the guard behind it, with the mark that the plugin leaves; a text is left as it is. */
  after(mark?: Partial<Mark> | string, stage?: MarkName): Promise<Ran>
  /** header_filter and body_filter for an answer; the whole body is one chunk. */
  answer(status: number, fields: Fields, body: string, stage?: MarkName): Promise<Ran & { readonly body: string }>
}

let opened = 0

export async function request(lua: LuaHost, asked: Asked = {}): Promise<GuardedRequest> {
  opened += 1
  const id = `kong-${opened}`
  const { target = '/v1/orders/1', method = 'GET', line = `${method} ${target} HTTP/1.1`, tls, ...more } = asked
  const open: Opened = {
    id,
    method,
    headers: [['Host', 'gateway.test']],
    var: { request: line, request_uri: target, kong_request_id: id, remote_addr: '192.0.2.7', ...tls },
    max_headers: 128,
    upstreams: ['orders-stable', 'orders-beta'],
    consumers: [],
    ...more,
  }
  await lua.run({ open, steps: [{ plugin: 'kong', phase: 'before' }] })
  const run: GuardedRequest['run'] = (step, more) => lua.run({ ...more, steps: [step], request: id })
  return {
    id,
    run,
    before: (stage = 'gate', patch = {}) => run({ plugin: `tenant-${stage}-before`, phase: 'access' }, { patch }),
    after: (mark, stage = 'gate') => {
      const shared = mark === undefined ? {} : { [markKey(stage)]: textOf(mark, id, stage) }
      return run({ plugin: `tenant-${stage}-after`, phase: 'access' }, { shared })
    },
    answer: async (status, headers, body, stage = 'gate') => {
      const plugin = `tenant-${stage}-after`
      const answer = { status, headers }
      const filtered = await run({ plugin, phase: 'header_filter' }, { patch: { answer } })
      const { arg } = await run({ plugin, phase: 'body_filter' }, { patch: { arg: [body, true] } })
      return { ...filtered, body: arg?.[0] ?? '' }
    },
  }
}

function textOf(mark: Partial<Mark> | string, id: string, stage: MarkName): string {
  if (typeof mark === 'string') return mark
  return JSON.stringify({ id, stage, set: {}, remove: [], answer: {}, ...mark })
}

/** What the guard has handed over. */
export function handed({ shared }: Ran): HandedRequest {
  return JSON.parse(Buffer.from(shared[REQUEST_KEY] ?? '', 'latin1').toString('utf8'))
}

/** The names of request headers, as they are spelt. */
export const names = ({ headers }: Ran): string[] => headers.map(([name]) => name)

/** The value of a header by its exact name; repeats are joined. */
export function value(fields: Fields, name: string): string | undefined {
  const values = fields.filter(([own]) => own.toLowerCase() === name).map(([, text]) => text)
  return values.length === 0 ? undefined : values.join(', ')
}

/** It ended the request with problem+json. */
export function expectRefusal(ran: Ran, status: number, code: string, requestId: string): void {
  expect(ran.outcome, ran.message).toBe('exited')
  expect(ran.exit?.status).toBe(status)
  expect(ran.exit?.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  expect(JSON.parse(ran.exit?.body ?? '')).toMatchObject({ type: 'about:blank', status, code, requestId })
}
