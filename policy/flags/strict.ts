/** flagd's own word on a definition: its schema, held strictly, and whether its evaluator can compile every rule. */
import type { Logger } from '@openfeature/core'
import { MemoryStorage } from '@openfeature/flagd-core'
import { isRecord, parseJson } from '../outside.ts'
import type { Fault } from '../problem.ts'

/** What flagd has against a definition in which our own checks have found nothing; undefined where that is nothing too. */
export function flagdsFault(definition: string): Fault | undefined {
  const warnings: string[] = []
  const warn = (message: unknown) => void warnings.push(String(message))
  const logger: Logger = { error: warn, warn, info() {}, debug() {} }
  try {
    new MemoryStorage(logger).setConfigurations(definition, true)
  } catch (error) {
    return { path: deepest(String(error)), message: "is not what flagd's schema allows here" }
  }
  const [warning] = warnings
  if (warning === undefined) return undefined
  const flag = /flag '(.*)'$/.exec(warning)?.[1]
  const path = flag === undefined ? [] : ['flags', flag, 'targeting']
  return { path, message: 'is no rule that flagd can compile' }
}

/** Of the many branches that the schema tried, the one that came furthest is what was meant. */
function deepest(message: string): readonly (string | number)[] {
  const errors = parseJson(message.slice(message.indexOf('[')))
  const paths = (Array.isArray(errors) ? errors : []).map((error) =>
    isRecord(error) ? pathOf(String(error.instancePath)) : [],
  )
  return paths.reduce((best, path) => (path.length > best.length ? path : best), [])
}

/** RFC 6901. */
function pathOf(pointer: string): readonly (string | number)[] {
  const steps = pointer.split('/').slice(1)
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')))
}
