/** The text of a configuration file as YAML: its first document, with aliases resolved and its size bounded. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml'
import { type Position, type SyntaxFault, syntaxFaults } from '../document.ts'
import { hasFalseTag } from './scalars.ts'

export interface ConfigDocument {
  /** Undefined where the file is empty. */
  readonly root: Node | undefined
  /** What each alias stands for; none leads back to itself. */
  readonly targets: ReadonlyMap<Alias, Node>
  positionAt(offset: number): Position
  /** Whether more documents follow, which nobody reads. */
  readonly hasMore: boolean
}

export type ReadConfig =
  | { readonly ok: true; readonly document: ConfigDocument }
  | { readonly ok: false; readonly faults: readonly SyntaxFault[] }

/** Levels of maps and lists in each other. */
const MAX_DEPTH = 200

/** Nodes that aliases may stand for in all. */
const MAX_ALIASED = 100_000

const START: Position = { line: 1, column: 1 }

/** Never throws. */
export function readConfigDocument(text: string): ReadConfig {
  const lines = new LineCounter()
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return line > 0 ? { line, column: col } : START
  }
  try {
    const yaml = parseDocument(text, { ...OPTIONS, lineCounter: lines })
    const faults = syntaxFaults(
      yaml.errors.filter(({ code }) => code !== 'MULTIPLE_DOCS'),
      positionAt,
    )
    if (faults.length > 0) return { ok: false, faults }
    const resolved = resolveAliases(yaml)
    if ('fault' in resolved) {
      const position = positionAt(resolved.offset)
      return { ok: false, faults: [{ position, fault: { path: [], message: resolved.fault } }] }
    }
    const root = isNode(yaml.contents) ? yaml.contents : undefined
    const hasMore = yaml.errors.some(({ code }) => code === 'MULTIPLE_DOCS')
    return { ok: true, document: { root, targets: resolved.targets, positionAt, hasMore } }
  } catch {
    return { ok: false, faults: [{ position: START, fault: { path: [], message: TOO_DEEP } }] }
  }
}

/** Every scalar is its text; keys that stand twice are ours to tell of. */
const OPTIONS = {
  schema: 'failsafe',
  version: '1.1',
  uniqueKeys: false,
  prettyErrors: false,
  resolveKnownTags: false,
  logLevel: 'error',
} as const

const TOO_DEEP = `is nested too deeply: ${MAX_DEPTH} levels at most`
const TOO_MANY = `uses aliases too much: they may stand for ${MAX_ALIASED} nodes at most`

type Resolved = { readonly targets: ReadonlyMap<Alias, Node> } | { readonly fault: string; readonly offset: number }

/** Of a node with all that is in it, and what aliases in it stand for. */
interface Extent {
  readonly size: number
  readonly height: number
}

const LEAF: Extent = { size: 1, height: 0 }

/** In the order of the text: an alias stands for the nearest anchor of its name before it. */
function resolveAliases(yaml: Document): Resolved {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  const extents = new Map<Node, Extent>()
  const open = new Set<Node>()
  let aliased = 0
  let fault: { fault: string; offset: number } | undefined

  function refuse(message: string, node: Node): Extent {
    fault ??= { fault: message, offset: node.range?.[0] ?? 0 }
    return LEAF
  }

  function extentOfAlias(alias: Alias): Extent {
    const target = anchors.get(alias.source)
    if (!target) return refuse(`has no anchor \`&${alias.source}\` before it`, alias)
    if (open.has(target)) return refuse(`is an alias of what it stands in (\`&${alias.source}\`)`, alias)
    targets.set(alias, target)
    const extent = extents.get(target) ?? LEAF
    aliased += extent.size
    return aliased > MAX_ALIASED ? refuse(TOO_MANY, alias) : extent
  }

  function extentOf(node: unknown, depth: number): Extent {
    if (!isNode(node) || fault) return LEAF
    if (isAlias(node)) {
      const extent = extentOfAlias(node)
      return depth + extent.height > MAX_DEPTH ? refuse(TOO_DEEP, node) : extent
    }
    if (depth > MAX_DEPTH) return refuse(TOO_DEEP, node)
    if (node.anchor) anchors.set(node.anchor, node)
    if (isScalar(node) && hasFalseTag(node)) return refuse('is not what its tag says', node)
    open.add(node)
    let size = 1
    let height = 0
    for (const child of childrenOf(node)) {
      const extent = extentOf(child, depth + 1)
      size += extent.size
      height = Math.max(height, extent.height + 1)
    }
    open.delete(node)
    const extent = { size, height }
    if (node.anchor) extents.set(node, extent)
    return extent
  }

  extentOf(yaml.contents, 0)
  return fault ?? { targets }
}

function childrenOf(node: Node): readonly unknown[] {
  if (isSeq(node)) return node.items
  return isMap(node) ? node.items.flatMap(({ key, value }) => [key, value]) : []
}
