/**
 * Whether API keys and certificates are told apart by everything that may name them, and kinds that stand there are
 * looked at.
 */
import { canonicalName } from '../../core/credentials/certificates/distinguished-name.ts'
import { MOST_ENTRIES } from '../../core/names.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import { nameOfCertificate } from '../schema/certificates.ts'
import { DEFAULT_SOURCES } from '../schema/identity.ts'
import type { PolicyFile } from '../schema.ts'
import { claims } from './tenants.ts'

type TenantEntry = PolicyFile['tenants'][string]

export function checkCredentials(file: PolicyFile): readonly Fault[] {
  const faults: (Fault | undefined)[] = [...checkSources(file)]
  const claimHash = claims()
  const claimName = claims()
  for (const [id, tenant] of Object.entries(file.tenants)) {
    const at = (...rest: PolicyPath): PolicyPath => ['tenants', id, ...rest]
    for (const [index, { hash }] of tenant.apiKeys.entries())
      faults.push(claimHash(hash, at('apiKeys', index, 'hash'), 'this API key'))
    for (const [index, certificate] of tenant.certificates.entries()) {
      const { kind, pattern } = nameOfCertificate(certificate)
      const name = kind === 'subject' ? (canonicalName(pattern) ?? pattern) : pattern
      faults.push(claimName(`${kind} ${name}`, at('certificates', index, kind), 'this name of certificates'))
    }
    faults.push(...checkIds(tenant, at), ...checkLimits(tenant, at), ...checkRights(tenant, at))
  }
  return faults.filter((fault) => fault !== undefined)
}

/**
 * Limits, logs and revocation know credentials by id. Two API keys may share one while one takes the other's place:
 * then all but one must have an end.
 */
function checkIds(
  { apiKeys, certificates }: TenantEntry,
  at: (...rest: PolicyPath) => PolicyPath,
): readonly (Fault | undefined)[] {
  const ofKeys = new Map<string, PolicyPath>()
  const endless = new Map<string, PolicyPath>()
  const faults: Fault[] = []
  for (const [index, { id, expiresAt }] of apiKeys.entries()) {
    const path = at('apiKeys', index, 'id')
    const also = expiresAt === undefined ? endless.get(id) : undefined
    const fix = 'another, or `expiresAt` beside the key that it replaces'
    if (also) faults.push({ path, also, message: 'this key id is taken already', fix })
    else if (expiresAt === undefined) endless.set(id, path)
    if (!ofKeys.has(id)) ofKeys.set(id, path)
  }
  const claim = claims()
  for (const [id, path] of ofKeys) claim(id, path, 'this id')
  const ofCertificates = certificates.map(({ id }, index) => claim(id, at('certificates', index, 'id'), 'this id'))
  return [...faults, ...ofCertificates]
}

/**
 * Two keys of one id are one credential, which has one set of limits: a new key without them would end what the old one
 * was held to.
 */
function checkLimits({ apiKeys }: TenantEntry, at: (...rest: PolicyPath) => PolicyPath): readonly Fault[] {
  const first = new Map<string, number>()
  return apiKeys.flatMap(({ id, limits }, index) => {
    const earlier = first.get(id)
    if (earlier === undefined) {
      first.set(id, index)
      return []
    }
    if (JSON.stringify(limits) === JSON.stringify(apiKeys[earlier]?.limits)) return []
    const message = 'are not those of the other key of this id, and both count together'
    const fix = 'the same limits at both'
    return [{ path: at('apiKeys', index, 'limits'), at: 'key', also: at('apiKeys', earlier), message, fix }]
  })
}

/** What a request brings to targeting rules is as long as they are measured by, whichever credential it shows. */
function* checkRights(tenant: TenantEntry, at: (...rest: PolicyPath) => PolicyPath): Generator<Fault> {
  for (const kind of ['apiKeys', 'certificates'] as const) {
    for (const [index, rights] of tenant[kind].entries()) {
      for (const name of ['scopes', 'roles'] as const) {
        if (rights[name].length <= MOST_ENTRIES) continue
        yield { path: at(kind, index, name), message: 'has too many entries', fix: `${MOST_ENTRIES} or fewer` }
      }
    }
  }
}

/** What a policy lists only to be looked at, and nothing looks at, was forgotten where `sources` is left out. */
function checkSources({ identity: { sources }, issuers, tenants }: PolicyFile): readonly Fault[] {
  const introspection = issuers.findIndex((issuer) => issuer.introspection !== undefined)
  if (sources) {
    const index = sources.indexOf('opaqueToken')
    if (index === -1 || introspection !== -1) return []
    const message = 'no issuer can be asked about opaque tokens'
    return [{ path: ['identity', 'sources', index], message, fix: '`introspection:` at one of `issuers`' }]
  }
  const faults: Fault[] = []
  if (introspection !== -1) {
    faults.push(unread(['issuers', introspection, 'introspection'], 'opaqueToken'))
  }
  const named = Object.entries(tenants).find(([, { certificates }]) => certificates.length > 0)
  if (named) faults.push(unread(['tenants', named[0], 'certificates'], 'clientCertificate'))
  return faults
}

function unread(path: PolicyPath, source: string): Fault {
  const fix = `\`sources: [${[...DEFAULT_SOURCES, source].join(', ')}]\` under \`identity\``
  return { path, at: 'key', message: `is not looked at, because \`identity.sources\` does not name ${source}`, fix }
}
