/** Notices that `npm start` itself was killed outright, which tells nobody: its children just get another parent. */
import { readFileSync } from 'node:fs'

const INTERVAL_MS = 250

/** Calls `gone` once when the npm that runs us has ended. Started without npm nobody is watched (`nohup node …`). */
export function whenOrphaned(env: Readonly<Record<string, string | undefined>>, gone: () => void): void {
  if (env.npm_lifecycle_event === undefined) return
  const before = ancestry()
  const timer = setInterval(() => {
    if (ancestry() === before) return
    clearInterval(timer)
    gone()
  }, INTERVAL_MS)
  timer.unref()
}

/** Our parent; where that is a shell between npm and us, the shell's parent too. */
function ancestry(): string {
  const { ppid } = process
  const parent = statOf(ppid)
  return parent !== undefined && /^(?:ba|da|z)?sh$/.test(parent.name) ? `${ppid} ${parent.ppid}` : `${ppid}`
}

/** What Linux tells of a process; undefined elsewhere, and when there is none. */
function statOf(pid: number): { name: string; ppid: string | undefined } | undefined {
  try {
    // `PID (name) STATE PPID …`; the name may hold anything, brackets too
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const end = stat.lastIndexOf(')')
    return { name: stat.slice(stat.indexOf('(') + 1, end), ppid: stat.slice(end + 2).split(' ')[1] }
  } catch {
    return undefined
  }
}
