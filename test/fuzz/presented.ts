/** How the fuzzer's requests show credentials: properly, twice, joined, in other spellings, at the wrong place. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { createApiKey } from '../../core/credentials/api-key.ts'
import { flip, tokenArbitrary } from './tokens.ts'
import type { Credential, World } from './world.ts'

type Field = readonly [name: string, value: string]

export interface Presented {
  readonly fields: readonly Field[]
  readonly credentials: readonly Credential[]
}

export function credentialsArbitrary(world: World): fc.Arbitrary<Presented> {
  const key = keyArbitrary(world)
  const token = tokenArbitrary(world.signers)
  const one = fc.oneof(
    { weight: 5, arbitrary: inKeyHeader(key) },
    { weight: 5, arbitrary: inBearer(fc.oneof(token, token, key)) },
  )
  const both = fc.tuple(inKeyHeader(key), inBearer(fc.oneof(token, token, token, key))).map(joined)
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(NOTHING) },
    { weight: 9, arbitrary: one },
    { weight: 2, arbitrary: both },
    { weight: 1, arbitrary: twice(one) },
    { weight: 1, arbitrary: misplaced(fc.oneof(key, token)) },
  )
}

const NOTHING: Presented = { fields: [], credentials: [] }

function joined(all: readonly Presented[]): Presented {
  return {
    fields: all.flatMap(({ fields }) => fields),
    credentials: all.flatMap(({ credentials }) => credentials),
  }
}

const KEY_HEADERS = ['X-Api-Key', 'x-api-key', 'X-API-KEY']
const BEARERS = ['Bearer ', 'bearer ', 'BEARER  ', 'Bearer   ']

function inKeyHeader(key: fc.Arbitrary<Credential>): fc.Arbitrary<Presented> {
  return fc.tuple(key, fc.constantFrom(...KEY_HEADERS)).map(([key, name]) => shown(name, key.text, key))
}

function inBearer(token: fc.Arbitrary<Credential>): fc.Arbitrary<Presented> {
  return fc
    .tuple(token, fc.constantFrom('Authorization', 'authorization'), fc.constantFrom(...BEARERS))
    .map(([token, name, scheme]) => shown(name, `${scheme}${token.text}`, token))
}

function shown(name: string, value: string, ...credentials: Credential[]): Presented {
  return { fields: [[name, value]], credentials }
}

/** Two of one kind: as two lines, or as one that is joined as gateways join them. */
function twice(one: fc.Arbitrary<Presented>): fc.Arbitrary<Presented> {
  return fc.tuple(one, one, fc.constantFrom('lines', ',', ', ')).map(([first, second, how]) => {
    if (how === 'lines') return joined([first, second])
    const [name = 'x-api-key', value = ''] = first.fields[0] ?? []
    const other = second.fields[0]?.[1] ?? ''
    return { fields: [[name, `${value}${how}${other}`]], credentials: [...first.credentials, ...second.credentials] }
  })
}

const MISPLACES: readonly ((text: string) => Field)[] = [
  (text) => ['X_Api_Key', text],
  (text) => ['X-Api-Key', `Bearer ${text}`],
  (text) => ['Authorization', text],
  (text) => ['Authorization', `Basic ${text}`],
  (text) => ['Authorization', `Bearer\t${text}`],
  (text) => ['Authorization', `Bearer ${text} x`],
  (text) => ['Authorization', `Basic x, Bearer ${text}`],
  () => ['Authorization', 'Bearer'],
  (text) => ['Proxy-Authorization', `Bearer ${text}`],
  (text) => ['Cookie', `x-api-key=${text}`],
  (text) => ['X-Forwarded-Authorization', `Bearer ${text}`],
]

function misplaced(credential: fc.Arbitrary<Credential>): fc.Arbitrary<Presented> {
  return fc.tuple(credential, fc.constantFrom(...MISPLACES)).map(([credential, place]) => {
    return { fields: [place(credential.text)], credentials: [credential] }
  })
}

type Spoil = (key: string, at: number) => string

const SPOILS: readonly Spoil[] = [
  (key, at) => flip(key, at, 1 + (at % 60)),
  (key) => key.toUpperCase(),
  (key) => key.slice(0, -1),
  (key) => `${key}0`,
  (key) => `${key}\t\t${key}`,
  (key) => `tg_${key}`,
  (key) => key.replace('tg_', 'TG_'),
  (key) => key.slice(0, 3),
  (key) => key.repeat(20),
  (key) => `${key}%00`,
  (key) => `\xc3\xa9${key}`,
  () => createApiKey('test', randomBytes),
  () => '__proto__',
]

function keyArbitrary({ apiKeys }: World): fc.Arbitrary<Credential> {
  const known = fc.constantFrom(...apiKeys)
  // some ways of spoiling leave some keys as they are
  const named = (text: string) => apiKeys.find((key) => key.text === text) ?? { text }
  const spoilt = fc
    .tuple(known, fc.constantFrom(...SPOILS), fc.nat())
    .map(([{ text }, spoil, at]) => named(spoil(text, at)))
  return fc.oneof({ weight: 5, arbitrary: known }, { weight: 2, arbitrary: spoilt })
}
