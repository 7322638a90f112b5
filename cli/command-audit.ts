/** The audit of a command that changes something by itself: the same lines as a service writes. */
import { randomBytes } from 'node:crypto'
import type { AdminEvent } from '../core/admin-event.ts'
import { type Audit, type AuditSink, createAudit, NO_AUDIT } from '../telemetry/audit.ts'
import { openAuditFile } from '../telemetry/audit-file.ts'
import type { Io } from './io.ts'

export const AUDIT_SPECS = { audit: { type: 'string' } } as const

export interface CommandAudit {
  /** One for each change, done or not. */
  changed(event: Pick<AdminEvent, 'action' | 'outcome' | 'target' | 'reason'>): void
  /** Says on stderr what could not be written. */
  close(): Promise<void>
}

export type OpenCommandAudit =
  | { readonly ok: true; readonly audit: CommandAudit }
  | { readonly ok: false; readonly problem: string }

/**
 * `to` as services have it: a file, `stdout`, or `off` and nothing for none. On stdout is what the command answers: such lines go
 * to stderr.
 */
export function openCommandAudit(to: string | undefined, { stderr, env }: Io): OpenCommandAudit {
  const opened = openAudit(to, stderr)
  if (typeof opened === 'string') return { ok: false, problem: `--audit: ${opened}` }
  const requestId = randomBytes(16).toString('hex')
  const actor = env.USER ?? env.LOGNAME
  const who = { requestId, address: 'command line', ...(actor !== undefined && { actor }) }
  return {
    ok: true,
    audit: {
      changed: (event) => opened.administered({ ...event, ...who }),
      async close() {
        await opened.close()
        if (opened.lost > 0) stderr.write('tenantgate: the audit could not be written\n')
      },
    },
  }
}

function openAudit(to: string | undefined, stderr: Io['stderr']): Audit | string {
  if (to === undefined || to === '' || to === 'off') return NO_AUDIT
  if (to === 'stdout') return createAudit(linesTo(stderr), Date.now)
  const opened = openAuditFile(to, () => {})
  return opened.ok ? createAudit(opened.sink, Date.now) : opened.problem
}

function linesTo(stream: Io['stderr']): AuditSink {
  return { write: (line) => void stream.write(line), lost: 0, reopen() {}, close: async () => {} }
}
