/** Kong's PDK for one request, as a plugin behind the guard uses it: one read, and one write or one exit. */
import type { Exit } from './answers.ts'
import type { CallPdk } from './pb-client.ts'

export interface Pdk {
  readonly call: CallPdk
  /** What the plugin has set in `kong.ctx.shared`, as bytes. */
  readonly set: Readonly<Record<string, string>>
  /** How it ended the request. */
  readonly exit: Exit | undefined
  /** How many calls it made. */
  readonly calls: number
}

/** `shared` are the bytes that the guard has left. */
export function createPdk(shared: Readonly<Record<string, string>>): Pdk {
  const set: Record<string, string> = {}
  let exit: Exit | undefined
  let calls = 0
  const methods: Readonly<Record<string, (...args: never[]) => unknown>> = {
    'kong.ctx.shared.get': (key: string) => {
      const bytes = set[key] ?? shared[key]
      return bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString('utf8')
    },
    'kong.ctx.shared.set': (key: string, value: string) => {
      set[key] = Buffer.from(value, 'utf8').toString('latin1')
    },
    'kong.response.exit': (status: number, body: string, headers: Readonly<Record<string, unknown>>) => {
      exit = { status, body: Buffer.from(body, 'utf8').toString('latin1'), headers }
    },
  }
  const call: CallPdk = (method, args) => {
    calls += 1
    const run = methods[method]
    // behind the guard nothing else is asked
    if (!run) throw new Error(`${method} is not expected behind the guard`)
    return run(...(args as never[]))
  }
  return {
    call,
    set,
    get exit() {
      return exit
    },
    get calls() {
      return calls
    },
  }
}
