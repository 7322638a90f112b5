/** The token of the administration: from a file or from the environment, never from the command line, where others see it. */
import { readFileSync } from 'node:fs'
import type { Io } from '../io.ts'

export type ReadToken = { readonly ok: true; readonly token: string } | { readonly ok: false; readonly problem: string }

/** What could be guessed is refused. */
const SHORTEST = 32
/** What a header carries as it is. */
const VISIBLE = /^[\x21-\x7e]{1,512}$/

const HOW = 'make one by `openssl rand -hex 32`'

/** The token in the file, without the end of its line, or else in TENANTGATE_ADMIN_TOKEN. */
export function readAdminToken(file: string | undefined, env: Io['env']): ReadToken {
  const text = file === undefined ? env.TENANTGATE_ADMIN_TOKEN : textOf(file)
  const source = file ?? 'TENANTGATE_ADMIN_TOKEN'
  if (text === undefined || text === '') {
    const missing =
      file === undefined ? 'set TENANTGATE_ADMIN_TOKEN, or give --admin-token-file FILE' : `${file} has none`
    return { ok: false, problem: `the administration needs a token: ${missing}; ${HOW}` }
  }
  if (!VISIBLE.test(text)) return { ok: false, problem: `${source}: a token is visible ASCII without spaces; ${HOW}` }
  if (text.length < SHORTEST) {
    return { ok: false, problem: `${source}: a token has ${SHORTEST} characters at least; ${HOW}` }
  }
  return { ok: true, token: text }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trimEnd()
  } catch {
    return undefined
  }
}
