/** What a targeting rule results in, where its flag has no such variant: the request then gets the route's default. */
import { isRecord } from '../outside.ts'
import type { Fault, PolicyPath } from '../problem.ts'
import { type Report, unknown } from './words.ts'

export function noteResults(rule: unknown, path: PolicyPath, variants: ReadonlySet<string>, note: Report): void {
  if (!isRecord(rule)) return
  const { if: choice, fractional } = rule
  if (Array.isArray(choice) && choice.length > 1) {
    for (const [index, operand] of choice.entries()) {
      // of `if`, every second operand is a result, and the last one where it has no condition
      const isResult = index % 2 === 1 || (index === choice.length - 1 && index > 0)
      const at = [...path, 'if', index]
      if (!isResult) continue
      if (Array.isArray(operand))
        note(listed(operand, at, 'whose text flagd takes for a variant, and a rollout does not', variants))
      else noteResult(operand, at, variants, note)
    }
  }
  if (Array.isArray(fractional)) {
    for (const [index, bucket] of fractional.entries()) {
      if (!Array.isArray(bucket)) continue
      const at = [...path, 'fractional', index, 0]
      if (Array.isArray(bucket[0])) note(listed(bucket[0], at, 'by which no bucket of these is chosen', variants))
      else noteResult(bucket[0], at, variants, note)
    }
  }
}

function noteResult(result: unknown, path: PolicyPath, variants: ReadonlySet<string>, note: Report): void {
  if (typeof result !== 'string') noteResults(result, path, variants, note)
  else if (!variants.has(result)) note(() => unknown(path, 'variant', result, variants))
}

function listed(list: readonly unknown[], path: PolicyPath, why: string, variants: ReadonlySet<string>): Fault {
  const [only, ...more] = list
  const isVariant = more.length === 0 && typeof only === 'string' && variants.has(only)
  return {
    path,
    message: `is a list, ${why}`,
    fix: isVariant ? `\`${JSON.stringify(only)}\`` : 'the name of a variant',
  }
}
