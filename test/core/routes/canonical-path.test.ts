/** What is a path, and what is refused because two readers could understand it differently. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath } from '../../../core/routes/canonical-path.ts'

describe('a path that readers could understand differently is refused', () => {
  const refused = [
    ['', 'nothing'],
    ['*', 'the asterisk form'],
    ['http://acme.test/v1', 'the absolute form'],
    ['v1/orders', 'no leading slash'],
    ['//admin/x', 'an empty segment that a URL parser takes for an authority (CVE-2026-26205)'],
    ['/v1//orders', 'an empty segment'],
    ['/v1/./orders', 'a dot segment'],
    ['/v1/;x/admin', 'a segment of path parameters only'],
    ['/v1/%3Bx/admin', 'the same, encoded'],
    ['/v1/.', 'a dot segment at the end'],
    ['/v1/../admin', 'a double dot segment'],
    ['/v1/..', 'a double dot segment at the end'],
    ['/v1/%2e%2e/admin', 'an encoded double dot'],
    ['/v1/%2E./admin', 'a half encoded double dot'],
    ['/v1/.%2e', 'a half encoded double dot at the end'],
    ['/v1/..;/admin', 'a double dot before a path parameter'],
    ['/v1/..;x=1/admin', 'a double dot with a path parameter'],
    ['/v1/..%3b/admin', 'a double dot before an encoded semicolon'],
    ['/v1/.;/admin', 'a dot before a path parameter'],
    ['/v1\\admin', 'a backslash'],
    ['/v1/caf\u00e9', 'raw text that is no ASCII'],
    ['/v1/\ufffd\ufffd/admin', 'raw bytes that are no UTF-8, an overlong double dot for one'],
    ['/v1/%2fadmin', 'an encoded slash'],
    ['/v1/%2Fadmin', 'an encoded slash in upper case'],
    ['/v1/%5cadmin', 'an encoded backslash'],
    ['/v1/%00', 'an encoded NUL'],
    ['/v1/a%0d%0ax', 'an encoded line break'],
    ['/v1/\u0000', 'a NUL'],
    ['/v1/a\tb', 'a control byte'],
    ['/v1/a b', 'a space'],
    ['/v1/\u007f', 'DEL'],
    ['/v1/#x', 'a fragment'],
    ['/v1/%c0%ae%c0%ae/admin', 'an overlong UTF-8 form of two dots'],
    ['/v1/%ff', 'bytes that are no UTF-8'],
    ['/v1/%zz', 'a broken escape'],
    ['/v1/%2', 'half an escape'],
  ] as const
  it.each(refused)('%j: %s', (target) => {
    expect(canonicalPath(target)).toBeUndefined()
  })
})

describe('a path that means one thing is kept', () => {
  const kept = [
    ['/', '/'],
    ['/v1/orders', '/v1/orders'],
    ['/v1/orders/', '/v1/orders/'],
    ['/v1/orders?x=/../..//%2f', '/v1/orders'],
    ['/v1/a.b/..c/...', '/v1/a.b/..c/...'],
    ['/v1/.well-known', '/v1/.well-known'],
    ['/V1/Orders', '/V1/Orders'],
    ['/v1/a%20b', '/v1/a b'],
    ['/v1/%61dmin', '/v1/admin'],
    ['/v1/caf%C3%A9', '/v1/café'],
    ['/v1/%252e%252e/x', '/v1/%2e%2e/x'],
    ['/v1/x;a=b', '/v1/x;a=b'],
  ] as const
  it.each(kept)('%j is %j', (target, path) => {
    expect(canonicalPath(target)).toBe(path)
  })

  it('what is kept holds no dot segment and no empty segment but the last, whatever is sent', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E', ';', '%3b', 'a', '%2f', '\\', '%61', '?', '%', '%c3%a9')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const path = canonicalPath(`/${pieces.join('')}`)
        if (path === undefined) return
        const segments = path.slice(1).split('/')
        expect(segments.slice(0, -1)).not.toContain('')
        for (const segment of segments) expect(['.', '..']).not.toContain(segment.split(';')[0])
      }),
      { numRuns: 5000 },
    )
  })
})
