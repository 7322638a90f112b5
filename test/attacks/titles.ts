/** The titles of the tests in a file that run: no comment, no text that merely stands there, nothing that is skipped. */
import ts from 'typescript'

const TESTS = new Set(['it', 'test', 'describe'])
/** Whatever stands below one of these may be left out of a run. */
const LEFT_OUT = new Set(['skip', 'skipIf', 'runIf', 'todo', 'fails'])

/**
 * The titles as they are written, those of `describe` and what fills in the titles of `each` among them. `source` is
 * TypeScript; texts of a table that is declared elsewhere in the file count where `each` names it.
 */
export function titlesOf(source: string): readonly string[] {
  const file = ts.createSourceFile('a.test.ts', source, ts.ScriptTarget.Latest, true)
  const declared = declarationsOf(file)
  const titles: string[] = []
  const visit = (node: ts.Node): void => {
    const chain = ts.isCallExpression(node) ? chainOf(node.expression) : undefined
    if (ts.isCallExpression(node) && chain && TESTS.has(chain.root)) {
      if (chain.names.some((name) => LEFT_OUT.has(name))) return
      const [title] = node.arguments
      if (title) titles.push(...textsOf(title, declared))
      for (const table of chain.tables) titles.push(...textsOf(table, declared))
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return titles
}

interface Chain {
  readonly root: string
  /** `each` of `it.each(…)`. */
  readonly names: readonly string[]
  /** What the calls within the chain were given: `describe.each(table)`. */
  readonly tables: readonly ts.Expression[]
}

/** What is called: `it`, `it.each(…)`, `describe.skipIf(…).each(…)`; undefined where it does not begin with a name. */
function chainOf(called: ts.Expression): Chain | undefined {
  if (ts.isIdentifier(called)) return { root: called.text, names: [], tables: [] }
  if (ts.isPropertyAccessExpression(called)) {
    const before = chainOf(called.expression)
    return before && { ...before, names: [...before.names, called.name.text] }
  }
  if (!ts.isCallExpression(called)) return undefined
  const before = chainOf(called.expression)
  return before && { ...before, tables: [...before.tables, ...called.arguments] }
}

type Declarations = ReadonlyMap<string, ts.Expression>

function declarationsOf(file: ts.SourceFile): Declarations {
  const declared = new Map<string, ts.Expression>()
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      declared.set(node.name.text, node.initializer)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return declared
}

/** Every text in an expression, also one that is named there; a name is followed once. */
function textsOf(expression: ts.Node, declared: Declarations, followed: readonly string[] = []): readonly string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text]
  if (ts.isTemplateHead(expression) || ts.isTemplateMiddleOrTemplateTail(expression)) return [expression.text]
  if (ts.isIdentifier(expression)) {
    const named = declared.get(expression.text)
    if (!named || followed.includes(expression.text)) return []
    return textsOf(named, declared, [...followed, expression.text])
  }
  const texts: string[] = []
  ts.forEachChild(expression, (child) => {
    texts.push(...textsOf(child, declared, followed))
  })
  return texts
}
