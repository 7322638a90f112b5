/**
 * From the policy's text to checked, resolved pieces, or to every problem found, each with its place. The way through
 * the room:
 *
 *   document.ts, nodes.ts      text → YAML nodes with positions; duplicate keys and aliases
 *   shape.ts, schema/          nodes → a typed file; wording.ts and known-keys.ts say what is wrong in plain words
 *   checks/                    references, duplicates, costs; what is good, and perhaps a slip
 *   outside.ts, secret.ts, key-origin.ts, signing-keys.ts, flags/, state.ts    the files and secrets that it names
 *   resolve.ts → parts.ts      defaults and meaning: limits, routes, issuers
 *   compile.ts                 parts → the core's Policy
 *   load.ts, watch.ts          at once, or followed live through parse-thread.ts and parse-worker.ts
 */
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Limit } from '../core/limits/limit.ts'
import type { Issuer } from '../core/policy.ts'
import { checkCosts } from './checks/costs.ts'
import { checkCredentials } from './checks/credentials.ts'
import { checkFlagHeaders } from './checks/flag-headers.ts'
import { checkFlagsAsked } from './checks/flags-asked.ts'
import { checkHeaders } from './checks/headers.ts'
import { checkIssuers } from './checks/issuers.ts'
import { checkOverride } from './checks/override.ts'
import { checkRoutes } from './checks/routes.ts'
import { noteSlips } from './checks/slips.ts'
import { checkTenants } from './checks/tenants.ts'
import { versionOf } from './compile.ts'
import { type PolicyDocument, type Position, readDocument } from './document.ts'
import { resolveFlags } from './flags/flag-file.ts'
import { resolveKeys } from './key-origin.ts'
import type { Environment, Outside, ReadReference } from './outside.ts'
import type { PolicyParts } from './parts.ts'
import { type Fault, type Problem, pathText } from './problem.ts'
import { identityOf, issuerOf, limitOf, routeOf, tenantOf } from './resolve.ts'
import type { PolicyFile } from './schema.ts'
import { checkShape } from './shape.ts'
import { resolveSigningKeys } from './signing-keys.ts'
import { resolveState } from './state.ts'

/** A policy with more problems than this has one cause or another format; the rest is not told. */
export const MAX_PROBLEMS = 50

export interface ParseOptions {
  /** As the user named it: it stands in problems, and its folder is where relative files are looked for. */
  readonly file: string
  /** Gets absolute paths. */
  readonly readFile: ReadReference
  readonly env: Environment
  /** Whether its tenants stand somewhere else: then nothing is said of who refers to them. */
  readonly tenantsElsewhere?: boolean
}

export type ParseResult = { readonly files: readonly string[] } & (
  | {
      readonly ok: true
      readonly parts: PolicyParts
      readonly document: PolicyDocument
      /** What is accepted, and perhaps not what was meant. */
      readonly notes: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }
)

/**
 * Parses a policy; never throws. `files` are the absolute paths that were asked for, in the order of reading.
 * Meaning (references, duplicates, costs) is checked once the shape is right.
 */
export function parsePolicy(
  text: string,
  { file, readFile, env, tenantsElsewhere = false }: ParseOptions,
): ParseResult {
  const contents = new Map<string, string>()
  const read: ReadReference = (path) => {
    const absolute = resolve(dirname(file), path)
    const answer = readFile(absolute)
    contents.set(absolute, 'text' in answer ? answer.text : '')
    return 'text' in answer ? answer : { failure: `\`${path}\` ${answer.failure}` }
  }
  const refuse = (problems: readonly Problem[]): ParseResult => ({
    ok: false,
    problems: sorted(problems, file),
    files: [...contents.keys()],
  })

  const yaml = readDocument(text)
  if (!yaml.ok) return refuse(yaml.faults.map(({ fault, position }) => problemAt(file, fault, position)))
  const { document } = yaml
  const place = (fault: Fault) => locate(file, fault, document)

  const shape = checkShape(document.value, MAX_PROBLEMS)
  if (!shape.ok) return refuse(shape.faults.map(place))

  const { faults, notes: slips, parts } = checkMeaning(shape.file, { read, env }, tenantsElsewhere)
  if (faults.length > 0) return refuse(faults.slice(0, MAX_PROBLEMS).map(place))
  const notes = sorted([...noteSlips(shape.file), ...slips].slice(0, MAX_PROBLEMS).map(place), file)
  const version = versionOf(text, [...contents.values()])
  const versioned = { ...parts, head: { ...parts.head, version } }
  return { ok: true, parts: versioned, document, notes, files: [...contents.keys()] }
}

interface Meaning {
  readonly faults: readonly Fault[]
  /** Of the files that it names. */
  readonly notes: readonly Fault[]
  readonly parts: PolicyParts
}

function checkMeaning(file: PolicyFile, outside: Outside, tenantsElsewhere: boolean): Meaning {
  const plans = new Map(Object.entries(file.plans).map(([name, { limits }]) => [name, limits.map(limitOf)]))
  const tenants = Object.entries(file.tenants).map(([id, entry]) => tenantOf(id, entry, plans.get(entry.plan) ?? []))
  const routes = file.routes.map(routeOf)
  const { issuers, faults: ofIssuers } = resolveIssuers(file, outside)
  const signing = resolveSigningKeys(file.identity.token, outside)
  const state = resolveState(file, outside, tenantsElsewhere)
  const flags = resolveFlags(file, outside, MAX_PROBLEMS)
  const limits: Limit[] = [...plans.values()].flat()
  for (const { tenant } of tenants) if (tenant.limits) limits.push(...tenant.limits)
  return {
    faults: [
      ...flags.faults,
      ...ofIssuers,
      ...signing.faults,
      ...state.faults,
      ...checkIssuers(file, tenantsElsewhere),
      ...checkTenants(file),
      ...checkCredentials(file),
      ...checkHeaders(file, flags.variants),
      ...checkFlagHeaders(file),
      ...checkFlagsAsked(file, routes, flags.extents),
      ...checkOverride(file),
      ...checkRoutes(file, routes, flags),
      ...checkCosts(routes, limits),
    ],
    notes: flags.notes,
    parts: {
      head: {
        version: '',
        identity: identityOf(file, signing.keys),
        issuers,
        plans,
        upstreams: file.upstreams,
        routes,
        shadow: file.shadow,
        flags: flags.rules,
        state: state.rules,
      },
      tenants,
    },
  }
}

function resolveIssuers(
  file: PolicyFile,
  outside: Outside,
): { readonly issuers: readonly Issuer[]; readonly faults: readonly Fault[] } {
  const issuers: Issuer[] = []
  const faults: Fault[] = []
  for (const [index, entry] of file.issuers.entries()) {
    const keys = resolveKeys(entry, ['issuers', index], outside)
    if ('fault' in keys) faults.push(keys.fault)
    else issuers.push(issuerOf(entry, keys.value))
  }
  return { issuers, faults }
}

function locate(file: string, fault: Fault, document: PolicyDocument): Problem {
  const { elsewhere } = fault
  if (elsewhere) return problemAt(nameBeside(file, elsewhere.file), fault, elsewhere)
  const also = fault.also && document.positionOf(fault.also, 'value').line
  const message = also === undefined ? fault.message : `${fault.message} (see line ${also})`
  return problemAt(file, { ...fault, message }, document.positionOf(fault.path, fault.at ?? 'value'))
}

function problemAt(file: string, { path, message, fix }: Fault, { line, column }: Position): Problem {
  return { file, line, column, path: pathText(path), message, ...(fix !== undefined && { fix }) }
}

/** Of a file that the policy names, as somebody would name it who is where the policy's own name is good. */
function nameBeside(file: string, name: string): string {
  return isAbsolute(name) ? name : join(dirname(file), name)
}

/** Those of the policy first. */
function sorted(problems: readonly Problem[], file: string): readonly Problem[] {
  const rank = (problem: Problem) => (problem.file === file ? 0 : 1)
  return problems.slice(0, MAX_PROBLEMS).sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column)
}
