/** How many files a ratelimit configuration may have. */
import { afterEach, expect, it } from 'vitest'
import { readFolder } from '../../../policy/ratelimit/folder.ts'
import { createTestFolder, type TestFolder } from '../../compatibility/folder.ts'

let folder: TestFolder | undefined
afterEach(() => folder?.remove())

it('1,000 files are read; one more is told, once', () => {
  const files = Array.from({ length: 1000 }, (_, i) => [`${i}.yaml`, ''])
  folder = createTestFolder(Object.fromEntries(files))
  expect(readFolder(folder.path)).toMatchObject({ files: { length: 1000 }, problems: [] })
  folder.write({ 'more.yaml': '', 'in/other.yaml': '' })
  const { problems } = readFolder(folder.path)
  expect(problems.map(({ message }) => message)).toEqual(['holds more than 1000 files'])
})
