/** Kong's cors plugin, as far as the shipped kong.yml uses it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { packageRoot } from '../../../package-root.ts'
import type { Fields } from './lua-host.ts'

interface CorsConfig {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly exposed_headers: readonly string[]
  readonly max_age: number
}

export interface Cors {
  isPreflight(method: string, fields: Fields): boolean
  preflight(fields: Fields): Fields
  /** What it adds to an answer that is no preflight's. */
  answer(fields: Fields): Fields
}

/** With the settings of kong/kong.yml. Throws when that names no cors plugin. */
export function shippedCors(): Cors {
  const file = parse(readFileSync(join(packageRoot, 'kong', 'kong.yml'), 'utf8')) as {
    plugins: { name: string; config: CorsConfig }[]
  }
  const config = file.plugins.find(({ name }) => name === 'cors')?.config
  if (!config) throw new Error('kong.yml has no cors plugin')
  const patterns = config.origins.map((origin) => new RegExp(`^(?:${origin})$`))
  const allowed = (fields: Fields): Fields => {
    const origin = headerOf(fields, 'origin')
    const isAllowed = origin !== undefined && patterns.some((pattern) => pattern.test(origin))
    return [['vary', 'Origin'], ...(isAllowed ? [['access-control-allow-origin', origin] as const] : [])]
  }
  return {
    isPreflight: (method, fields) =>
      method === 'OPTIONS' &&
      headerOf(fields, 'origin') !== undefined &&
      headerOf(fields, 'access-control-request-method') !== undefined,
    preflight: (fields) => [
      ...allowed(fields),
      ['access-control-allow-headers', config.headers.join(',')],
      ['access-control-allow-methods', config.methods.join(',')],
      ['access-control-max-age', String(config.max_age)],
      ['content-length', '0'],
    ],
    answer: (fields) => [...allowed(fields), ['access-control-expose-headers', config.exposed_headers.join(',')]],
  }
}

/** The first value of a header by its lower-case name. */
export function headerOf(fields: Fields, name: string): string | undefined {
  return fields.find(([own]) => own.toLowerCase() === name)?.[1]
}
