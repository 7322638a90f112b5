/** Runs a row of the table against whatever answers: the counting itself, or a server over gRPC. */
import { expect } from 'vitest'
import { type HitsSettings, MAX_REQUESTS } from '../../core/descriptors/config.ts'
import type { Descriptor, DescriptorStatus, HitsAnswer, HitsRequest, Unit } from '../../core/descriptors/descriptor.ts'
import { UNIT_SECONDS } from '../../core/descriptors/hit-key.ts'
import { type AskedDescriptor, type Call, filesOf, HEADERS, type Row, type RowSettings, START } from './row.ts'

/** What a request was refused for as invalid. */
export interface Invalid {
  readonly invalid: string
}

export interface Served {
  /** `now` is Unix ms. Rejects where the service is broken. */
  ask(request: HitsRequest, now: number): Promise<HitsAnswer | Invalid>
  close(): Promise<void> | void
}

/** Serves a configuration of these files with fresh counters. */
export type Driver = (files: Readonly<Record<string, string>>, settings: DriverSettings) => Promise<Served>

export type DriverSettings = HitsSettings & { readonly mergeDomains: boolean }

/** Asks the row's calls one after the other and compares. */
export async function checkRow(row: Row, serve: Driver): Promise<void> {
  const served = await serve(filesOf(row), settingsOf(row.settings))
  try {
    for (const call of row.calls) {
      const answer = await served.ask(requestOf(call), START + (call.at ?? 0) * 1000)
      checkAnswer(call, answer)
    }
  } finally {
    await served.close()
  }
}

export function settingsOf({
  headers = false,
  shadow = false,
  quota = false,
  sparing = false,
  metadata = false,
  mergeDomains = false,
}: RowSettings = {}): DriverSettings {
  return { headers: headers && HEADERS, shadow, quota, sparing, metadata, mergeDomains }
}

function checkAnswer(call: Call, answer: HitsAnswer | Invalid): void {
  expect(answerText(answer), JSON.stringify(call.ask)).toBe(call.is)
  if ('invalid' in answer) return
  if (call.headers !== undefined)
    expect(answer.headers.map((header) => header.join(': ')).join(', ')).toBe(call.headers)
  if (call.metadata !== undefined) expect(answer.metadata).toEqual(call.metadata)
  if (call.reset === undefined) return
  expect(answer.statuses.flatMap(({ resetMs }) => (resetMs === undefined ? [] : [resetMs / 1000]))).toEqual(call.reset)
}

export function requestOf({ domain = 'shop', ask, hits = 0 }: Call): HitsRequest {
  return { domain, hitsAddend: hits, descriptors: ask.map(descriptorOf) }
}

function descriptorOf(asked: string | AskedDescriptor): Descriptor {
  const { of, hits, limit } = typeof asked === 'string' ? { of: asked } : asked
  return {
    entries: of === '' ? [] : of.split(' ').map(entryOf),
    ...(hits !== undefined && { hits }),
    ...(limit !== undefined && { limit: limitOf(limit) }),
  }
}

function entryOf(text: string) {
  const at = text.indexOf('=')
  return { key: text.slice(0, at), value: text.slice(at + 1) }
}

function limitOf(text: string) {
  const [amount = '', word = ''] = text.split('/')
  return { requestsPerUnit: Number(amount), unit: isUnit(word) ? word : undefined }
}

function isUnit(word: string): word is Unit {
  return Object.hasOwn(UNIT_SECONDS, word)
}

/** As `Call.is` has it. */
export function answerText(answer: HitsAnswer | Invalid): string {
  if ('invalid' in answer) return 'invalid'
  return `${answer.code}: ${answer.statuses.map(statusText).join(', ')}`
}

function statusText({ code, limit, remaining }: DescriptorStatus): string {
  const over = code === 'over_limit' ? 'over ' : ''
  if (!limit) return `${over}${remaining === MAX_REQUESTS ? 'unlimited' : 'free'}`
  return [`${over}${remaining}/${limit.requestsPerUnit}`, limit.unit ?? '?', limit.name].filter(Boolean).join(' ')
}
