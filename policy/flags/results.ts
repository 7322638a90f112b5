/** What a targeting rule results in, where its flag has no such variant: the request then gets the route's default. */
import { isRecord } from '../outside.ts'
import type { PolicyPath } from '../problem.ts'
import { type Report, unknown } from './words.ts'

export function noteResults(rule: unknown, path: PolicyPath, variants: ReadonlySet<string>, note: Report): void {
  if (typeof rule === 'string' && !variants.has(rule)) {
    note(() => unknown(path, 'variant', rule, variants))
    return
  }
  if (!isRecord(rule)) return
  const { if: choice, fractional } = rule
  if (Array.isArray(choice) && choice.length > 1) {
    for (const [index, operand] of choice.entries()) {
      // of `if`, every second operand is a result, and the last one where it has no condition
      const isResult = index % 2 === 1 || (index === choice.length - 1 && index > 0)
      if (isResult) noteResults(operand, [...path, 'if', index], variants, note)
    }
  }
  if (Array.isArray(fractional)) {
    for (const [index, bucket] of fractional.entries()) {
      if (Array.isArray(bucket)) noteResults(bucket[0], [...path, 'fractional', index, 0], variants, note)
    }
  }
}
