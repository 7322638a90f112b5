/** Asks a process that we have started, and does not wait for one that has ended. */
import type { ChildProcess } from 'node:child_process'

/** Its next message after this one; rejects with `ended` when none can come any more. One question at a time. */
export function asked<T>(child: ChildProcess, question: string, ended: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      child.off('message', answered)
      child.off('exit', gone)
    }
    const answered = (answer: unknown) => {
      settle()
      resolve(answer as T)
    }
    const gone = () => {
      settle()
      reject(new Error(ended))
    }
    child.on('message', answered)
    child.on('exit', gone)
    // also told of a process that had ended before
    child.send(question, (failed) => failed && gone())
  })
}
