/** Options of the command line. Each has a twin in the environment, `--drain-timeout` is `TENANTGATE_DRAIN_TIMEOUT`; the option wins. */
import { parseArgs } from 'node:util'
import { nearest } from '../policy/nearest.ts'

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** May be given several times; its twin in the environment separates by commas. */
  readonly multiple?: boolean
  /** One letter. */
  readonly short?: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type Value<S extends OptionSpec> = S['type'] extends 'boolean'
  ? boolean
  : S['multiple'] extends true
    ? string[]
    : string

export type Options<S extends OptionSpecs> = { readonly [name in keyof S]?: Value<S[name]> }

export type ReadOptions<S extends OptionSpecs> =
  | { readonly ok: true; readonly options: Options<S>; readonly positionals: readonly string[] }
  | { readonly ok: false; readonly problem: string }

type Environment = Readonly<Record<string, string | undefined>>

/** Reads `argv` (what stands behind the command's name). Wrong use is a problem in words, an unknown option names the nearest. */
export function readOptions<const S extends OptionSpecs>(
  specs: S,
  argv: readonly string[],
  env: Environment,
): ReadOptions<S> {
  const parsed = parsedArgs(specs, argv)
  if (typeof parsed === 'string') return { ok: false, problem: parsed }
  const options: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const value = parsed.values[name] ?? fromEnvironment(env[environmentTwin(name)], spec)
    if (value !== undefined) options[name] = value
  }
  return { ok: true, options: options as Options<S>, positionals: parsed.positionals }
}

/** `drain-timeout` → `TENANTGATE_DRAIN_TIMEOUT`. */
export function environmentTwin(name: string): string {
  return `TENANTGATE_${name.replaceAll('-', '_').toUpperCase()}`
}

function parsedArgs(specs: OptionSpecs, argv: readonly string[]) {
  const unknown = unknownOption(specs, argv)
  if (unknown !== undefined) return unknown
  try {
    return parseArgs({ args: [...argv], options: specs as Record<string, OptionSpec>, allowPositionals: true })
  } catch (error) {
    // node:util throws only for wrong use here, and its first sentence says what is wrong
    return (error as Error).message.split('. ', 1)[0] ?? 'wrong use'
  }
}

function unknownOption(specs: OptionSpecs, argv: readonly string[]): string | undefined {
  const { tokens } = parseArgs({
    args: [...argv],
    options: specs as Record<string, OptionSpec>,
    strict: false,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(specs, token.name)) continue
    const near = nearest(token.name, Object.keys(specs))
    return `unknown option ${token.rawName}${near === undefined ? '' : `; did you mean --${near}?`}`
  }
  return undefined
}

function fromEnvironment(text: string | undefined, spec: OptionSpec): string | boolean | string[] | undefined {
  if (text === undefined || text === '') return undefined
  if (spec.type === 'boolean') return text === '1' || text === 'true'
  return spec.multiple === true ? text.split(',').map((part) => part.trim()) : text
}
