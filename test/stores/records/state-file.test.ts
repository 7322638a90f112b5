/** The state file: what was recorded is there after a restart, by whoever wrote it, and a bad line takes nothing back. */
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AdminRecord } from '../../../core/credentials/records.ts'
import { openStateFile, SETTLE_MS, type StateFile } from '../../../stores/records/state-file.ts'
import { NOON } from '../../support/gate.ts'

let folder: string
let path: string
let told: string[]
let clock: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-state-'))
  path = join(folder, 'state.jsonl')
  told = []
  clock = NOON
  writeFileSync(path, '')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const partsOf = (file: string) => ({
  path: file,
  now: () => clock,
  onProblem: (problem: string) => void told.push(problem),
  onMended: () => void told.push('mended'),
  onLost: (lost: number, before: number, after: number) => void told.push(`lost ${lost}: ${before} to ${after}`),
  onTorn: (place: string) => void told.push(`torn ${place}`),
})

async function opened(file = path): Promise<StateFile> {
  const result = await openStateFile(partsOf(file))
  if (!result.ok) throw new Error(result.problem)
  return result.state
}

async function problemAtStart(text: string): Promise<string> {
  writeFileSync(path, text)
  const result = await openStateFile(partsOf(path))
  return result.ok ? 'none' : result.problem
}

/** Looks, and looks again when the file has stayed as it is. */
async function settled(state: StateFile): Promise<void> {
  if (await state.look()) return
  clock += SETTLE_MS
  expect(await state.look()).toBe(true)
}

const HASH = 'a'.repeat(64)
const revoked = (id: string): AdminRecord => ({ kind: 'revoked-credential', tenant: 'acme', id })
const line = (id: string) => `{"kind":"revoked-credential","tenant":"acme","id":"${id}"}\n`
const isRevoked = (state: StateFile, credential: string) =>
  state.records.isRevoked({ kind: 'apiKey', credential, roles: [], scopes: [] }, 'acme')

const EVERY_KIND: readonly AdminRecord[] = [
  { kind: 'key', tenant: 'acme', id: 'ci', hash: HASH, scopes: ['a'], roles: ['b'], notBefore: 0, expiresAt: NOON },
  { kind: 'key', tenant: 'acme', id: 'cd', hash: 'b'.repeat(64), scopes: [], roles: [] },
  // more than a key may have that is made now
  { kind: 'key', tenant: 'acme', id: 'old', hash: 'c'.repeat(64), scopes: [], roles: Array<string>(300).fill('r') },
  { kind: 'replaced', hash: HASH, at: NOON + 1 },
  revoked('ci'),
  { kind: 'revoked-token', issuer: 'https://id.example', jti: 'j "1"\n' },
  { kind: 'revoked-token', jti: 'j2' },
  { kind: 'revoked-subject', subject: 's1', before: NOON },
  { kind: 'revoked-tenant', tenant: 'acme', before: NOON },
  { kind: 'flag-switched', flag: 'a flag / ü', to: 'off', at: NOON },
  { kind: 'flag-switched', flag: 'a,b=c', to: 'on', at: NOON },
]

describe('what was recorded', () => {
  it('is there after a restart, every kind of it', async () => {
    const first = await opened()
    expect(await first.add(() => EVERY_KIND)).toBeUndefined()
    for (const state of [first, await opened()]) {
      expect([...(await state.issuedKeys()), ...state.revocations(), ...state.switches.all()]).toEqual(
        EVERY_KIND.filter(({ kind }) => kind !== 'replaced'),
      )
      expect(state.records.replacedAt(HASH)).toBe(NOON + 1)
      expect(state.size).toBe(EVERY_KIND.length)
    }
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(EVERY_KIND.length + 1)
  })

  it('by two processes on one file is seen by both, and no line is lost', async () => {
    const states = [await opened(), await opened()]
    const ids = Array.from({ length: 40 }, (_, index) => `k${index}`)
    const outcomes = await Promise.all(ids.map((id, index) => states[index % 2]?.add(() => [revoked(id)])))
    expect(outcomes.every((problem) => problem === undefined)).toBe(true)
    for (const state of states) {
      await state.look()
      expect(ids.filter((id) => !isRevoked(state, id))).toEqual([])
      expect(state.size).toBe(40)
    }
  })

  it('is planned one at a time, each seeing what the one before has recorded', async () => {
    const state = await opened()
    const once = () => (isRevoked(state, 'ci') ? [] : [revoked('ci')])
    await Promise.all([state.add(once), state.add(once), state.add(once)])
    expect(state.size).toBe(1)
  })

  it('by hand is seen: appended, edited in place, renamed over, and taken out again', async () => {
    const state = await opened()
    appendFileSync(path, line('a'))
    await state.look()
    expect(isRevoked(state, 'a')).toBe(true)
    writeFileSync(path, `${line('b')}${line('c')}`)
    await settled(state)
    expect(['a', 'b', 'c'].map((id) => isRevoked(state, id))).toEqual([false, true, true])
    writeFileSync(`${path}.new`, line('d'))
    renameSync(`${path}.new`, path)
    await settled(state)
    expect(['b', 'd'].map((id) => isRevoked(state, id))).toEqual([false, true])
    await state.add(() => [revoked('e')])
    expect(['d', 'e'].map((id) => isRevoked(state, id))).toEqual([true, true])
  })

  it('holds while an editor writes the file anew, however often it is looked at, and takes no more records meanwhile', async () => {
    writeFileSync(path, `${line('a')}${line('b')}`)
    const state = await opened()
    for (const halfWritten of ['', line('c')]) {
      writeFileSync(path, halfWritten)
      for (let i = 0; i < 3; i++) expect(await state.look()).toBe(false)
      clock += SETTLE_MS - 1
      expect(await state.look()).toBe(false)
      expect(['a', 'b'].map((id) => isRevoked(state, id))).toEqual([true, true])
      expect(await state.add(() => [revoked('d')])).toContain('being edited')
    }
    writeFileSync(path, `${line('c')}${line('b')}${line('a')}`)
    expect(await state.look()).toBe(true)
    writeFileSync(path, `${line('c')}${line('b')}`)
    await settled(state)
    expect(['a', 'b', 'c', 'd'].map((id) => isRevoked(state, id))).toEqual([false, true, true, false])
    expect(told).toEqual(['lost 1: 3 to 2'])
    expect(await state.add(() => [revoked('d')])).toBeUndefined()
  })

  it('that a line of an edited file says no longer is told with both counts, also where the file has not become shorter', async () => {
    writeFileSync(path, `${line('a')}${line('b')}`)
    const state = await opened()
    writeFileSync(path, `${line('b')}${line('c')}${line('d')}`)
    expect(await state.look()).toBe(false)
    expect(isRevoked(state, 'a')).toBe(true)
    await settled(state)
    expect([isRevoked(state, 'a'), isRevoked(state, 'd'), state.lost]).toEqual([false, true, 1])
    expect(told).toEqual(['lost 1: 2 to 3'])
    writeFileSync(path, `${line('d')}${line('b')}\n${line('c')}${line('c')}`)
    expect(await state.look()).toBe(true)
    expect(told).toHaveLength(1)
  })

  it('holds on when the file is emptied, loudly and for as long as it stays so, and nothing is recorded in it', async () => {
    writeFileSync(path, `${line('a')}${line('b')}`)
    const state = await opened()
    for (const emptied of ['', '\n\n']) {
      writeFileSync(path, emptied)
      await settled(state)
      clock += 3_600_000
      expect(await state.look()).toBe(true)
      expect(['a', 'b'].map((id) => isRevoked(state, id))).toEqual([true, true])
      expect(state.problem).toContain('has no record any more, and lacks 2 of 2 records')
      expect(await state.add(() => [revoked('c')])).toBe(state.problem)
    }
    expect(told).toEqual([state.problem])
    writeFileSync(path, `${line('a')}${line('b')}`)
    expect(await state.look()).toBe(true)
    writeFileSync(path, '')
    await settled(state)
    writeFileSync(path, line('b'))
    await settled(state)
    expect(['a', 'b'].map((id) => isRevoked(state, id))).toEqual([true, true])
    expect(state.problem).toContain('was found emptied or cut short, and lacks 1 of 2 records')
    writeFileSync(path, `${line('c')}${line('a')}${line('b')}`)
    await settled(state)
    expect([state.problem, state.lost, isRevoked(state, 'c')]).toEqual([undefined, 0, true])
  })

  it('holds on when the file is cut off in the middle of a line, until somebody has mended it', async () => {
    const whole = `${line('a')}${line('b')}${line('c')}`
    writeFileSync(path, whole)
    const state = await opened()
    truncateSync(path, line('a').length + 10)
    await settled(state)
    expect(['a', 'b', 'c'].map((id) => isRevoked(state, id))).toEqual([true, true, true])
    expect(state.problem).toContain('ends in the middle of a line, and lacks 2 of 3 records')
    expect(await state.add(() => [revoked('d')])).toBe(state.problem)
    writeFileSync(path, whole)
    await settled(state)
    expect([state.problem, state.lost]).toEqual([undefined, 0])
  })

  it('of every kind holds on when its line is taken out, until that has stayed so', async () => {
    for (const [index, record] of EVERY_KIND.entries()) {
      writeFileSync(path, '')
      const state = await opened()
      await state.add(() => EVERY_KIND)
      const lines = readFileSync(path, 'utf8').split('\n')
      writeFileSync(path, lines.filter((_, at) => at !== index).join('\n'))
      expect([record.kind, await state.look()]).toEqual([record.kind, false])
    }
  })

  it('behind a link that is swapped is seen too', async () => {
    const link = join(folder, 'link')
    symlinkSync(path, link)
    const state = await opened(link)
    writeFileSync(join(folder, 'other'), line('z'))
    rmSync(link)
    symlinkSync(join(folder, 'other'), link)
    await state.look()
    expect(isRevoked(state, 'z')).toBe(true)
  })

  it('in more lines than are read at a time is read in full', async () => {
    writeFileSync(path, Array.from({ length: 5000 }, (_, index) => line(`k${index}`)).join(''))
    const state = await opened()
    expect(state.size).toBe(5000)
    expect(isRevoked(state, 'k4999')).toBe(true)
  })
})

describe('a file that is not good', () => {
  it.each([
    ['not JSON\n', 'is not JSON'],
    ['[]\n', 'Invalid'],
    ['{"kind":"revoked"}\n', 'kind: '],
    ['{"kind":"revoked-credential","tenant":"acme","id":"ci","also":1}\n', 'also'],
    ['{"kind":"revoked-tenant","tenant":"acme","before":"yesterday"}\n', 'before: '],
    ['{"kind":"revoked-subject","subject":"","before":"2026-11-22T12:00:00Z"}\n', 'subject: '],
    ['{"kind":"key","tenant":"acme","id":"ci","hash":"sha256:00"}\n', 'hash: '],
    ['{"kind":"flag-switched","flag":"f","to":"of","at":"2026-11-22T12:00:00Z"}\n', 'to: '],
    ['{"kind":"flag-switched","flag":"f","to":"off","at":"9999-01-01T00:00:00Z"}\n', 'at: '],
    ['{"kind":"revoked-token","jti":"j","__proto__":{"issuer":"x"}}\n', '__proto__'],
    [`{"kind":"revoked-token","jti":"${'x'.repeat(140_000)}"}\n`, 'longer than'],
    [`{"kind":"revoked-token","jti":"${'x'.repeat(600_000)}`, 'longer than'],
  ])('is told with its line at start: %.60s', async (bad, words) => {
    const problem = await problemAtStart(`${line('a')}\n${bad}`)
    expect(problem.startsWith(`${path}:3: `)).toBe(true)
    expect(problem).toContain(words)
  })

  it('with bytes that are not UTF-8 is told', async () => {
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('{"kind":"revoked-token","jti":"'), Buffer.from([0xff]), Buffer.from('"}\n')]),
    )
    expect(await openStateFile(partsOf(path))).toMatchObject({ problem: `${path}:1: is not UTF-8 text` })
  })

  it('is told at start when it is not there, with how to make one, or is a folder', async () => {
    const missing = await openStateFile(partsOf(join(folder, 'none')))
    expect(missing).toEqual({ ok: false, problem: expect.stringContaining('install -m 600 /dev/null') })
    expect(await openStateFile(partsOf(folder))).toMatchObject({
      problem: expect.stringContaining('not a regular file'),
    })
  })

  it('later takes nothing back, is told once, takes no more records, and is told when it is mended', async () => {
    const state = await opened()
    await state.add(() => [revoked('a')])
    const good = readFileSync(path, 'utf8')
    writeFileSync(path, `oops\n${line('b')}`)
    await state.look()
    await state.look()
    expect(told).toEqual([`${path}:1: is not JSON`])
    expect(['a', 'b'].map((id) => isRevoked(state, id))).toEqual([true, false])
    expect(await state.add(() => [revoked('c')])).toBe(`${path}:1: is not JSON`)
    expect(readFileSync(path, 'utf8')).not.toContain('"c"')
    rmSync(path)
    await state.look()
    expect(isRevoked(state, 'a')).toBe(true)
    writeFileSync(path, `${good}${line('b')}`)
    await state.look()
    expect(told.slice(1)).toEqual([expect.stringContaining('does not exist'), 'mended'])
    expect(['a', 'b', 'c'].map((id) => isRevoked(state, id))).toEqual([true, true, false])
  })

  it('on a disk that is full is told, and nothing is recorded that is not on it', async () => {
    const state = await opened()
    rmSync(path)
    symlinkSync('/dev/full', path)
    expect(await state.add(() => [revoked('a')])).toContain(path)
    expect(isRevoked(state, 'a')).toBe(false)
  })
})

describe('a last line that was never finished', () => {
  const TORN_TEXT = `${line('a')}{"kind":"revoked-crede`

  it('is ignored, and told once', async () => {
    writeFileSync(path, TORN_TEXT)
    const state = await opened()
    await state.look()
    expect(isRevoked(state, 'a')).toBe(true)
    expect(told).toEqual([`torn ${path}:2`])
  })

  it('spoils nothing that is recorded behind it, now or after a restart', async () => {
    writeFileSync(path, TORN_TEXT)
    expect(await (await opened()).add(() => [revoked('b')])).toBeUndefined()
    const state = await opened()
    expect(['a', 'b'].map((id) => isRevoked(state, id))).toEqual([true, true])
    await state.add(() => [revoked('c')])
    expect(isRevoked(await opened(), 'c')).toBe(true)
  })

  it('is a record like others when only its end of line is missing, before and after the next', async () => {
    writeFileSync(path, line('a').trimEnd())
    const state = await opened()
    await state.look()
    expect(isRevoked(state, 'a')).toBe(true)
    await state.add(() => [revoked('b')])
    for (const each of [state, await opened()])
      expect(['a', 'b'].map((id) => isRevoked(each, id))).toEqual([true, true])
    expect(told).toEqual([])
  })

  it('counts from when it is finished', async () => {
    writeFileSync(path, TORN_TEXT)
    const state = await opened()
    appendFileSync(path, 'ntial","tenant":"acme","id":"b"}\n')
    await state.look()
    expect(isRevoked(state, 'b')).toBe(true)
  })
})
