/** A policy file as it goes into Redis: checked as a whole, then in two parts, with the files that it names. */
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { RedisPlace } from '../../core/policy.ts'
import { checkStorable } from '../../policy/checks/storable.ts'
import { type DividedPolicy, type DividedTenant, dividePolicy } from '../../policy/divide.ts'
import type { PolicyDocument } from '../../policy/document.ts'
import { readText } from '../../policy/files.ts'
import type { Environment } from '../../policy/outside.ts'
import { type ParseResult, parsePolicy } from '../../policy/parse.ts'
import type { TenantEntry } from '../../policy/parts.ts'
import { type PolicyPath, type Problem, pathText } from '../../policy/problem.ts'
import type { NewTenant } from '../../stores/redis/directory/facts.ts'
import type { Bundle } from '../../stores/redis/directory/stored.ts'

export type PolicyToImport =
  | {
      readonly ok: true
      readonly bundle: Bundle
      /** By id, in the order of the file. */
      readonly tenants: ReadonlyMap<string, NewTenant>
      readonly notes: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

type Parsed = Extract<ParseResult, { ok: true }>

/** Reads and checks the file, its secrets too, as far as they can be had here; never throws. `into` is where it goes. */
export function readPolicyToImport(file: string, env: Environment, into?: RedisPlace): PolicyToImport {
  const own = readText(file)
  if ('failure' in own) {
    return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message: own.failure }] }
  }
  const texts = new Map<string, string>()
  const readFile = (path: string) => {
    const answer = readText(path)
    if ('text' in answer) texts.set(path, answer.text)
    return answer
  }
  const parsed = parsePolicy(own.text, { file, readFile, env })
  if (!parsed.ok) return parsed
  const problems = unstorable(file, parsed)
  if (problems.length > 0) return { ok: false, problems }
  const divided = dividePolicy(own.text, parsed.document)
  const bundle: Bundle = {
    version: parsed.parts.head.version,
    source: file,
    text: divided.text,
    files: Object.fromEntries(divided.files.map((path) => [path, texts.get(resolve(dirname(file), path)) ?? ''])),
  }
  const notes = [
    ...parsed.notes,
    ...noteSecretFiles(file, parsed.document),
    ...(into ? noteOtherStore(file, parsed, into) : []),
  ]
  return { ok: true, bundle, tenants: newTenants(parsed.parts.tenants, divided), notes }
}

/** Secrets stay where they are: each instance reads its own, from its own folder where a path does not say which. */
function noteSecretFiles(file: string, { value, positionOf }: PolicyDocument): readonly Problem[] {
  const notes: Problem[] = []
  const visit = (node: unknown, path: PolicyPath): void => {
    if (typeof node !== 'object' || node === null) return
    const entries = Object.entries(node)
    const [[key, name] = []] = entries
    if (entries.length === 1 && key === 'file' && typeof name === 'string' && !isAbsolute(name)) {
      const message = `is read by each instance itself, as ${join(dirname(file), name)} seen from where it was started`
      const at = [...path, 'file']
      notes.push({ file, ...positionOf(at, 'value'), path: pathText(at), message, fix: 'an absolute path' })
    }
    for (const [name, inner] of entries) visit(inner, [...path, Array.isArray(node) ? Number(name) : name])
  }
  for (const [name, inner] of Object.entries(Object(value))) if (name !== 'tenants') visit(inner, [name])
  return notes
}

/** Whoever names another place may think that it is used, or may have given the wrong one on the command line. */
function noteOtherStore(file: string, { parts, document }: Parsed, into: RedisPlace): readonly Problem[] {
  const { store } = parts.head.state
  if (store === 'memory') return []
  const isOtherRedis = !isSameRedis(store, into)
  if (!isOtherRedis && store.prefix === into.prefix) return []
  const isAtPrefix = !isOtherRedis && Object(Object(document.value).state).prefix !== undefined
  const path = ['state', isAtPrefix ? 'prefix' : 'store']
  const message = `is ${isOtherRedis ? 'another Redis' : `another prefix, '${store.prefix}',`} than the one it is imported into: instances that have their policy from there keep limits, keys and usage there too, below '${into.prefix}', and leave this unread`
  return [{ file, ...document.positionOf(path, 'value'), path: pathText(path), message }]
}

/** Of several nodes one in common is enough: nobody has to name all of them. */
function isSameRedis(one: RedisPlace, other: RedisPlace): boolean {
  const nodes = new Set(other.nodes.map(({ host, port }) => `${host} ${port}`))
  return (
    one.kind === other.kind &&
    one.database === other.database &&
    one.primary === other.primary &&
    one.nodes.some(({ host, port }) => nodes.has(`${host} ${port}`))
  )
}

function unstorable(file: string, { parts, document }: Parsed): readonly Problem[] {
  const tenants = Object.fromEntries(parts.tenants.map(({ tenant }) => [tenant.id, tenant]))
  return checkStorable({ tenants }).map(({ path, message, fix }) => {
    return {
      file,
      ...document.positionOf(path, 'value'),
      path: pathText(path),
      message,
      ...(fix !== undefined && { fix }),
    }
  })
}

function newTenants(entries: readonly TenantEntry[], divided: DividedPolicy): ReadonlyMap<string, NewTenant> {
  const tenants = new Map<string, NewTenant>()
  for (const entry of entries) {
    const facts = divided.tenants.get(entry.tenant.id)
    if (facts) tenants.set(entry.tenant.id, newTenant(entry, facts))
  }
  return tenants
}

/** What is stored of a tenant, and what it is found by. */
export function newTenant({ tenant, hosts, apiKeys, certificates }: TenantEntry, facts: DividedTenant): NewTenant {
  return { id: tenant.id, facts, aliases: tenant.aliases, hosts, keys: apiKeys, certificates }
}
