/** A running server follows its folder of ratelimit configuration, and never loses a good one to a bad one. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type DescriptorWatch,
  type DescriptorWatchOptions,
  watchDescriptorConfig,
} from '../../../policy/ratelimit/watch.ts'
import { createTestFolder, type TestFolder } from '../../compatibility/folder.ts'

const AN_HOUR_MS = 3_600_000

const of = (domain: string) =>
  `domain: ${domain}\ndescriptors: [{ key: a, rate_limit: { unit: day, requests_per_unit: 5 } }]\n`

let folder: TestFolder
let watching: DescriptorWatch | undefined

beforeEach(() => {
  folder = createTestFolder({ 'x.yaml': of('shop') })
})

afterEach(() => {
  watching?.close()
  folder.remove()
})

/** What the watch tells, one at a time: the domains of a configuration, the first problem's message, or `recovered`. */
function follow(options: Partial<DescriptorWatchOptions> = {}) {
  const told: string[] = []
  let wake = () => {}
  const tell = (word: string) => {
    told.push(word)
    wake()
  }
  watching = watchDescriptorConfig({
    folder: folder.path,
    mergeDomains: false,
    debounceMs: 5,
    pollMs: AN_HOUR_MS,
    onConfig: ({ domains }) => tell([...domains.keys()].sort().join(' ')),
    onProblems: ([problem]) => tell(problem?.message ?? ''),
    onRecovered: () => tell('recovered'),
    ...options,
  })
  async function next(): Promise<string> {
    for (;;) {
      const word = told.shift()
      if (word !== undefined) return word
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { next, told, watch: watching }
}

describe('a folder that is followed', () => {
  it('is read at once, and again after each change in it', async () => {
    const { next } = follow()
    expect(await next()).toBe('shop')
    folder.write({ 'x.yaml': of('blog') })
    expect(await next()).toBe('blog')
    folder.write({ 'deep/y.yaml': of('news') })
    expect(await next()).toBe('blog news')
    folder.write({ 'deep/y.yaml': of('late') })
    expect(await next()).toBe('blog late')
    rmSync(join(folder.path, 'x.yaml'))
    expect(await next()).toBe('late')
  })

  it('keeps the last good where it turns bad, says so, and says when it is as it was', async () => {
    const { next, told, watch } = follow()
    expect(await next()).toBe('shop')
    folder.write({ 'x.yaml': 'domain: ""\n' })
    expect(await next()).toBe('is missing or empty')
    folder.write({ 'y.yaml': of('news') })
    expect(await watch.reload()).toBe('refused')
    expect(await next()).toBe('is missing or empty')
    rmSync(join(folder.path, 'y.yaml'))
    folder.write({ 'x.yaml': of('shop') })
    expect(await next()).toBe('recovered')
    expect(told).toEqual([])
  })

  it('tells the same problem once, and again when somebody asks', async () => {
    folder.write({ 'x.yaml': 'domain: ""\n' })
    const { next, told, watch } = follow()
    expect(await watch.first).toBe('refused')
    expect(await next()).toBe('is missing or empty')
    expect(await watch.reload()).toBe('refused')
    expect(await next()).toBe('is missing or empty')
    expect(told).toEqual([])
  })

  it('an emptied folder changes nothing: limits do not go because a mount does', async () => {
    const { next } = follow()
    expect(await next()).toBe('shop')
    rmSync(join(folder.path, 'x.yaml'))
    expect(await next()).toBe('holds no file')
  })

  it('is read once more where it is swapped as Kubernetes swaps a ConfigMap', async () => {
    const at = (name: string) => join(folder.path, name)
    rmSync(at('x.yaml'))
    mkdirSync(at('..one'))
    writeFileSync(at('..one/x.yaml'), of('first'))
    symlinkSync('..one', at('..data'))
    symlinkSync('..data/x.yaml', at('x.yaml'))
    const { next, told, watch } = follow()
    expect(await next()).toBe('first')
    mkdirSync(at('..two'))
    writeFileSync(at('..two/x.yaml'), of('second'))
    symlinkSync('..two', at('..data_tmp'))
    renameSync(at('..data_tmp'), at('..data'))
    rmSync(at('..one'), { recursive: true })
    expect(await next()).toBe('second')
    expect(await watch.reload()).toBe('unchanged')
    expect(told).toEqual([])
  })

  it('is looked at now and then, where no notification tells of a change', async () => {
    const { next } = follow({ pollMs: 20, debounceMs: 1 })
    expect(await next()).toBe('shop')
    // the folder itself is another one now, which its own notifications do not tell
    const other = createTestFolder({ 'x.yaml': of('other') })
    renameSync(folder.path, `${folder.path}.old`)
    renameSync(other.path, folder.path)
    rmSync(`${folder.path}.old`, { recursive: true })
    const words = [await next()]
    while (words.at(-1) !== 'other') words.push(await next())
    expect(words.at(-1)).toBe('other')
  })

  it('a configuration that cannot be put to use leaves the last good in place', async () => {
    let isBroken = false
    const { next, watch } = follow({
      onConfig: () => {
        if (isBroken) throw new RangeError('no')
      },
    })
    expect(await watch.first).toBe('loaded')
    isBroken = true
    folder.write({ 'x.yaml': of('blog') })
    expect(await next()).toBe('could not be put to use (RangeError)')
  })

  it('tells nothing any more once it is closed', async () => {
    const { next, told, watch } = follow()
    expect(await next()).toBe('shop')
    watch.close()
    folder.write({ 'x.yaml': of('blog') })
    expect(await watch.reload()).toBe('closed')
    expect(told).toEqual([])
  })
})
