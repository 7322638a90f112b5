/** The module of `--flag-provider`: its default export is an OpenFeature provider, or a function that makes one. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Provider } from '@openfeature/server-sdk'
import { maskAndCut } from '../../core/mask-secrets.ts'
import { within } from './within.ts'

export type LoadedProvider =
  | { readonly ok: true; readonly provider: Provider }
  | { readonly ok: false; readonly problem: string }

/** ms for the module and its function; what a provider connects to belongs into its `initialize`. */
const PATIENCE_MS = 10_000
const LONGEST_TEXT = 512
const METHODS = [
  'resolveBooleanEvaluation',
  'resolveStringEvaluation',
  'resolveNumberEvaluation',
  'resolveObjectEvaluation',
]

/** Runs the code of the file, whose path is relative to the working directory. Never rejects. */
export async function loadProvider(file: string): Promise<LoadedProvider> {
  try {
    const made = await within(make(file), PATIENCE_MS)
    if (made === undefined) return refused(file, `has made no provider within ${PATIENCE_MS / 1000} s`)
    const fault = faultOf(made.exported)
    return fault === undefined ? { ok: true, provider: made.exported as Provider } : refused(file, fault)
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
    return refused(file, `could not be loaded: ${maskAndCut(line, LONGEST_TEXT)}`)
  }
}

async function make(file: string): Promise<{ readonly exported: unknown }> {
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(resolve(file)).href)
  const { default: exported } = loaded
  return { exported: typeof exported === 'function' ? await exported() : exported }
}

function faultOf(exported: unknown): string | undefined {
  if (typeof exported !== 'object' || exported === null) {
    return 'has no provider as its default export, and no function that makes one'
  }
  const { metadata, runsOn, ...rest } = shapeOf(exported)
  if (typeof metadata?.name !== 'string') return 'makes no OpenFeature provider: it has no `metadata.name`'
  if (runsOn !== undefined && runsOn !== 'server')
    return `makes a provider for the ${String(runsOn)}; give one for servers`
  const missing = METHODS.find((method) => typeof rest[method] !== 'function')
  return missing === undefined ? undefined : `makes no OpenFeature provider: it has no \`${missing}\``
}

interface Shape {
  readonly metadata?: { readonly name?: unknown } | null
  readonly runsOn?: unknown
  readonly [method: string]: unknown
}

/** Methods may stand on a prototype, and `metadata` behind a getter. */
function shapeOf(exported: object): Shape {
  const shape: Record<string, unknown> = {}
  for (const name of ['metadata', 'runsOn', ...METHODS]) shape[name] = Reflect.get(exported, name)
  return shape
}

const refused = (file: string, problem: string): LoadedProvider => ({ ok: false, problem: `${file} ${problem}` })
