/**
 * One process at a time. The lock is a symbolic link that points to its owner's process id: made and filled in one step. Plain
 * JavaScript, because it guards the installation.
 */
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'

export function lock(/** @type {string} */ file) {
  let isOurs = false

  /** The process that holds it; undefined when none does. One that has died holds nothing. */
  function owner() {
    try {
      const pid = Number(readlinkSync(file))
      // our own id in a lock that we did not take: in a container that begins anew, a killed process had it before us
      if (pid === process.pid) return isOurs ? pid : undefined
      return isAlive(pid) ? pid : undefined
    } catch {
      return undefined
    }
  }

  /** Whether we have it now. It is given back when this process exits. */
  function take() {
    mkdirSync(dirname(file), { recursive: true })
    try {
      symlinkSync(String(process.pid), file)
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      // left by one who was killed: it is free at the next try
      if (owner() === undefined) rmSync(file, { force: true })
      return false
    }
    isOurs = true
    process.once('exit', () => rmSync(file, { force: true }))
    return true
  }

  return { file, owner, take }
}

function isAlive(/** @type {number} */ pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
