/** `routes:` which requests a rule is for, what it asks, and where it sends them. */
import { z } from 'zod'
import { limits } from './limits.ts'
import { distinct, flagName, HTTP_TOKEN, hostPattern, name, refusal, role, scope } from './words.ts'

/** Why a path pattern cannot be used, and what to write; undefined for a good one. */
function pathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return refusal('does not begin with a slash', 'a path such as `/v1/orders/**`')
  if (/[?#]/.test(path)) return refusal('has a query or fragment, which routes do not see', 'the path alone')
  if (path.includes(';')) return refusal('holds a semicolon, which begins path parameters', 'the path without them')
  if (path.includes('%')) return refusal('holds a percent sign', 'the decoded character')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\u0000-\u0020\u007f\\]/.test(path))
    return refusal('holds a space, backslash or control character', 'a path without')
  const segments = path.slice(1).split('/')
  const body = segments.at(-1) === '**' ? segments.slice(0, -1) : segments
  if (body.some((segment, index) => segment === '' && index < body.length - 1)) {
    return refusal('has an empty segment, which no request can match', 'single slashes')
  }
  if (segments.at(-1) === '**' && body.at(-1) === '') return refusal('has an empty segment', 'single slashes')
  if (body.some((segment) => /^\.{1,2}(?:;|$)/.test(segment)))
    return refusal('has a dot segment', 'the path without it')
  if (body.some((segment) => segment.includes('*'))) {
    return refusal('has a wildcard in the middle', '`{name}` for one segment, `/**` at the end for the rest')
  }
  if (body.some((segment) => /[{}]/.test(segment) && !/^\{\w+\}$/.test(segment))) {
    return refusal('has a template that is not a whole segment', '`{name}` between slashes')
  }
  return undefined
}

const path = z
  .string()
  .superRefine((value, context) => {
    const message = pathFault(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
  .describe('Exact `/healthz`, template `/v1/orders/{id}`, or everything below: `/v1/orders/**`. Case matters.')

const method = z
  .string()
  .regex(HTTP_TOKEN, refusal('is not a method', 'a method such as `GET`'))
  .refine((text) => text === text.toUpperCase(), { error: refusal('is not in upper case', 'a method such as `GET`') })

const version = z
  .string()
  .regex(/^(?!\.{1,2}$)[\w.~-]{1,64}$/, refusal('is not one segment of a path', 'a version such as `v1` or `2026-11`'))

const match = z
  .strictObject({
    path,
    versions: distinct(version)
      .min(1)
      .max(50)
      .optional()
      .describe('What the segment `{version}` of the path may be, such as `[v1, v2]`.'),
    methods: distinct(method).min(1).optional().describe('Default all. GET stands for HEAD too.'),
    hosts: distinct(hostPattern()).min(1).optional().describe('Exact or `*.suffix`; default all.'),
  })
  .superRefine(({ path, versions }, context) => {
    const places = path.split('/').filter((segment) => segment === '{version}').length
    if (versions === undefined || places === 1) return
    const message = refusal(
      places === 0 ? 'the path has no segment `{version}`' : 'the path has the segment `{version}` more than once',
      'a path such as `/{version}/orders/**`',
    )
    context.addIssue({ code: 'custom', path: ['versions'], message })
  })
  .describe('Which requests it is for. Exact beats template beats the longest prefix.')

const require = z
  .strictObject({
    scopes: distinct(scope()).default([]).describe('All of these scopes.'),
    anyScope: distinct(scope()).default([]).describe('One of these scopes.'),
    roles: distinct(role()).default([]).describe('All of these roles.'),
    anyRole: distinct(role()).default([]).describe('One of these roles.'),
  })
  .optional()
  .describe('What the credential must bring.')

const upstream = z
  .union(
    [
      name('an upstream'),
      z.strictObject({
        default: name('an upstream').describe('Where requests go unless the flag says otherwise.'),
        flag: flagName().optional().describe('A flag whose variant is the name of the upstream.'),
      }),
    ],
    { error: refusal('is not an upstream', 'a name, or `{ default: name, flag: flag }`') },
  )
  .optional()
  .describe('One of `upstreams`, or `{ default, flag }`.')

const anonymous = z
  .union([z.boolean(), z.literal('optional')], {
    error: refusal('is none of true, false, optional', '`true`, `false` or `optional`'),
  })
  .default(false)
  .describe('`true` leaves credentials alone, `optional` verifies those shown.')

/** Limits of nobody in particular can only be counted by what every request has. */
const COUNTS_ANYONE = /^(?:ip$|route$|header:)/

export const route = z
  .strictObject({
    name: name('a route').describe('Names the route in logs and metrics.'),
    match,
    anonymous,
    require,
    cost: z.int().min(0).max(1_000_000).default(1).describe('What a request takes from quotas and weighted rates.'),
    limits: limits.default([]).describe("Limits of this route, beside the tenant's."),
    upstream,
    mode: z
      .enum(['enforce', 'shadow'])
      .default('enforce')
      .describe('`shadow`: what `require` refuses is logged and counted, and let through.'),
  })
  .superRefine(({ anonymous, require, limits, mode }, context) => {
    if (anonymous !== false && require !== undefined) {
      const message = refusal('an anonymous route cannot require scopes or roles', 'a route without `anonymous`')
      context.addIssue({ code: 'custom', path: ['require'], message })
    }
    if (mode === 'shadow' && require === undefined) {
      const message = refusal(
        '`shadow` lets through what `require` refuses, and this route requires nothing',
        '`require:` beside it',
      )
      context.addIssue({ code: 'custom', path: ['mode'], message })
    }
    if (anonymous !== true) return
    for (const [index, { by }] of limits.entries()) {
      if (by.every((entry) => COUNTS_ANYONE.test(entry))) continue
      const message = refusal('an anonymous route knows nobody to count by', '`by: [ip]`, `route` or `header:x`')
      context.addIssue({ code: 'custom', path: ['limits', index, 'by'], message })
    }
  })
