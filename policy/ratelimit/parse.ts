/** From the texts of a configuration's files to its domains, or to all that is wrong with them. */
import type { DescriptorConfig } from '../../core/descriptors/config.ts'
import type { Position } from '../document.ts'
import { type Fault, type PolicyPath, type Problem, pathText } from '../problem.ts'
import type { Spot, Telling } from './decoding.ts'
import { type ConfigDocument, readConfigDocument } from './document.ts'
import { decodeFile } from './fields.ts'
import type { ConfigFile } from './folder.ts'
import { createTree, type TreeBuilder } from './tree.ts'

export interface ParsedDescriptors {
  readonly config: DescriptorConfig
  /** Where there are any, the configuration must not be used. */
  readonly problems: readonly Problem[]
  readonly notes: readonly Problem[]
}

/** Never throws. */
export function parseDescriptors(files: readonly ConfigFile[], mergeDomains: boolean): ParsedDescriptors {
  const tree = createTree(mergeDomains)
  const problems: Problem[] = []
  const notes: Problem[] = []
  for (const { name, text } of files) {
    const read = readConfigDocument(text)
    if (read.ok) parseFile(name, read.document, tree, { problems, notes })
    else problems.push(...read.faults.map(({ position, fault }) => problemAt(name, position, fault)))
  }
  return { config: tree.finish(), problems: firstOfEach(problems), notes: firstOfEach(notes) }
}

interface Found {
  readonly problems: Problem[]
  readonly notes: Problem[]
}

function parseFile(name: string, document: ConfigDocument, tree: TreeBuilder, { problems, notes }: Found): void {
  const { root, targets, positionAt, hasMore } = document
  const tellTo =
    (list: Problem[]) =>
    ({ path, offset }: Spot, fault: Omit<Fault, 'path'>) =>
      list.push(problemAt(name, positionAt(offset), { path, ...fault }))
  const telling: Telling = { problem: tellTo(problems), note: tellTo(notes) }
  if (hasMore)
    telling.note({ path: [], offset: 0 }, { message: 'holds more than one document: only the first is read' })
  const fields = decodeFile(root, { ...telling, targets })
  if (fields) tree.add(fields, telling, ({ offset }) => `${name}:${positionAt(offset).line}`)
}

function problemAt(
  file: string,
  position: Position,
  fault: { path: PolicyPath; message: string; fix?: string },
): Problem {
  const { path, message, fix } = fault
  return { file, ...position, path: pathText(path), message, ...(fix !== undefined && { fix }) }
}

/** A value of the wrong kind is missing too: that need not be said. In the order of the text, file by file. */
function firstOfEach(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  const first = problems.filter(({ file, path, line }) => {
    const place = JSON.stringify([file, path, line])
    return seen.size < seen.add(place).size
  })
  const files = [...new Set(first.map(({ file }) => file))]
  return files.flatMap((name) =>
    first.filter(({ file }) => file === name).sort((a, b) => a.line - b.line || a.column - b.column),
  )
}
