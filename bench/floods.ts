/** A million distinct bad credentials, from many addresses and from one: what they cost, what they leave, and who is still known. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createApiKey, storedHash } from '../core/credentials/api-key.ts'
import { createCredentials } from '../core/credentials/authenticate.ts'
import { decide, type Given } from '../core/decide.ts'
import type { DenyReason } from '../core/decision.ts'
import { createFlags } from '../core/flags/evaluate.ts'
import { createFailedCredentials } from '../stores/failed-credentials.ts'
import { createMemoryLimits } from '../stores/memory-limits.ts'
import { createTokenMemory } from '../stores/token-memory.ts'
import { partsOf, policyOf } from '../test/support/gate.ts'
import { type Figure, figure } from './measure.ts'
import { gatewayRequest } from './requests.ts'
import type { Table } from './table.ts'

const BAD = 1_000_000
const BATCH = 10_000
const ADDRESSES = 100_000
const GOOD = 1_000
/** As many as a gateway has under way. */
const AT_ONCE = 32
const MEGABYTE = 1024 ** 2

/** Where the second flood comes from. */
const FLOODED = '192.0.2.66'
const manyAddresses = (n: number) => `10.${(n >> 16) & 1}.${(n >> 8) & 255}.${n & 255}`
/** Where memory is read: what levels off is bounded. */
const PARTS: Readonly<Record<number, string>> = { 0.25: 'after a quarter', 0.5: 'after half', 1: 'after all' }

type Headers = Readonly<Record<string, string>>

interface Scene {
  readonly given: Given
  /** Of acme, and genuine. */
  readonly goodKey: string
  readonly goodTokens: readonly string[]
}

/** The `n`th bad credential of each kind, none like another. */
type MakeBad = (n: number) => Headers

export async function benchFloods(): Promise<Table> {
  const scene = createScene()
  const kinds = badKinds(scene)
  const moments = new Map([['before', memory()]])
  await warm(scene)
  const remember = (from: string) => (part: string) => moments.set(`${part} from ${from}`, memory())
  const many = await flood(scene, kinds, manyAddresses, 'invalid_credential', remember('many addresses'))
  const one = await flood(scene, kinds, () => FLOODED, 'too_many_failures', remember('one address'))
  const figures = [
    ...cpuFigures('many addresses', kinds, many),
    ...cpuFigures('one address', kinds, one),
    ...memoryFigures(moments),
  ]
  const known = await stillKnown(scene)
  const notes = [
    `${known.sameTick} of ${GOOD} good tokens, verified before, are answered in the same tick; ${known.allowed} are allowed`,
    `and so are ${known.fromFlooded} of ${GOOD} from the address that the second flood came from`,
  ]
  return {
    title: `floods: ${BAD} distinct bad credentials from ${ADDRESSES} addresses, and as many from one`,
    figures,
    notes,
  }
}

function createScene(): Scene {
  const key = createApiKey('bench', randomBytes)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256' }] })
  const text = `version: 1
issuers: [{ issuer: "https://id.bench", jwks: jwks.json, audiences: [orders], algorithms: [ES256], claims: { tenant: org } }]
plans: { free: { limits: [] } }
tenants: { acme: { plan: free, apiKeys: [{ id: ci, hash: "${storedHash(key)}" }] } }
routes: [{ name: read, match: { path: "/v1/orders/{id}" } }]
`
  const policy = policyOf(text, { 'jwks.json': jwks })
  const credentials = createCredentials(
    policy,
    partsOf({ ...createTokenMemory(), failures: createFailedCredentials() }),
  )
  const given = {
    policy,
    credentials,
    limits: createMemoryLimits(),
    flags: createFlags(policy.flags?.definition),
    now: Date.now(),
  }
  const goodTokens = Array.from({ length: GOOD }, (_, n) => tokenOf(n, (input) => signature(input, privateKey)))
  return { given, goodKey: key, goodTokens }
}

/** A token of ann's at acme, distinct by its number; `by` makes the signature. */
function tokenOf(n: number, by: (input: string) => string): string {
  const expires = Math.floor(Date.now() / 1000) + 12 * 3600
  const claims = { iss: 'https://id.bench', aud: 'orders', sub: 'ann', org: 'acme', exp: expires, jti: `token-${n}` }
  const input = `${encoded({ alg: 'ES256', typ: 'JWT', kid: 'bench' })}.${encoded(claims)}`
  return `${input}.${by(input)}`
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function signature(input: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

/** Bad signatures have the right length and are numbers of the curve, so that each costs a whole verification. */
function badKinds({ goodTokens }: Scene): Readonly<Record<string, MakeBad>> {
  const [stolen = ''] = goodTokens.map((token) => token.split('.')[2] ?? '')
  const random = (n: number, part: string) => createHash('sha256').update(`${part} ${n}`).digest()
  return {
    'garbage key': (n) => ({ 'x-api-key': `tg_live_${random(n, 'key').toString('hex').slice(0, 32)}_000000` }),
    'key with a good checksum': () => ({ 'x-api-key': createApiKey('live', randomBytes) }),
    'token with a bad signature': (n) => ({ authorization: `Bearer ${tokenOf(GOOD + n, () => stolen)}` }),
  }
}

async function ask({ given }: Scene, headers: Headers, address: string) {
  return decide({ ...gatewayRequest(headers), clientAddress: address }, given)
}

async function warm(scene: Scene): Promise<void> {
  for (const token of scene.goodTokens) {
    const { reason } = await ask(scene, { authorization: `Bearer ${token}` }, '198.51.100.7')
    if (reason !== 'allowed') throw new Error(`a good token is refused: ${reason}`)
  }
}

/** CPU µs of one, by kind, in batches; making them is not counted. */
async function flood(
  scene: Scene,
  kinds: Readonly<Record<string, MakeBad>>,
  addressOf: (n: number) => string,
  expected: DenyReason,
  onPart: (part: string) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>()
  const names = Object.keys(kinds)
  for (let batch = 0; batch < BAD / BATCH; batch++) {
    const name = names[batch % names.length] ?? ''
    const numbers = Array.from({ length: BATCH }, (_, i) => batch * BATCH + i)
    const bad = numbers.map((n) => [kinds[name]?.(n) ?? {}, addressOf(n % ADDRESSES)] as const)
    const began = process.cpuUsage()
    const unexpected = await refuseAll(scene, bad, expected)
    const { user, system } = process.cpuUsage(began)
    // the first of an address are refused otherwise, until it has failed often enough
    if (unexpected > BATCH / 100) throw new Error(`${unexpected} of a batch (${name}) were not refused as ${expected}`)
    samples.set(name, [...(samples.get(name) ?? []), (user + system) / BATCH])
    const part = PARTS[((batch + 1) * BATCH) / BAD]
    if (part) onPart(part)
  }
  return samples
}

async function refuseAll(
  scene: Scene,
  bad: readonly (readonly [Headers, string])[],
  expected: DenyReason,
): Promise<number> {
  let next = 0
  let unexpected = 0
  async function lane(): Promise<void> {
    for (let one = bad[next++]; one; one = bad[next++]) {
      const { decision, reason } = await ask(scene, ...one)
      if (decision === 'allow') throw new Error('a bad credential was let in')
      if (reason !== expected) unexpected += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return unexpected
}

async function stillKnown(scene: Scene) {
  const known = { sameTick: 0, allowed: 0, fromFlooded: 0 }
  for (const token of scene.goodTokens) {
    const headers = { authorization: `Bearer ${token}` }
    const answer = decide(gatewayRequest(headers), scene.given)
    if (!(answer instanceof Promise)) known.sameTick += 1
    if ((await answer).decision === 'allow') known.allowed += 1
    if ((await ask(scene, headers, FLOODED)).decision === 'allow') known.fromFlooded += 1
  }
  return known
}

function cpuFigures(from: string, kinds: object, samples: ReadonlyMap<string, readonly number[]>): Figure[] {
  return Object.keys(kinds).map((name) =>
    figure({ name: `${name}, ${from}`, unit: 'µs', samples: samples.get(name) ?? [] }),
  )
}

interface Memory {
  readonly heap: number
  readonly resident: number
}

function memory(): Memory {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // the second takes what the first has only finalized
  collect()
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed / MEGABYTE, resident: rss / MEGABYTE }
}

function memoryFigures(moments: ReadonlyMap<string, Memory>): Figure[] {
  return [...moments].flatMap(([when, { heap, resident }]) => [
    figure({ name: `heap, ${when}`, unit: 'MB', samples: [heap] }),
    figure({ name: `resident set, ${when}`, unit: 'MB', samples: [resident] }),
  ])
}
