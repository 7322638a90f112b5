/** No credential stays in a text that is written down, whatever stands around it and however a URL escapes it. */
import { describe, expect, it } from 'vitest'
import { holdsSecret, maskAndCut, maskSecrets } from '../../core/mask-secrets.ts'
import { newKey } from '../support/gate.ts'

const { key } = newKey()
const token = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(90)}.${'b'.repeat(30)}`
const escapedWhole = [...key].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')

describe('a credential in a text', () => {
  it.each([
    ['alone', key, '[credential]'],
    ['behind a word', `/v1/key_${key}`, '/v1/key_[credential]'],
    ['before a word', `/v1/${key}_old`, '/v1/[credential]_old'],
    ['behind an escape', `/v1/key%3D${key}`, '/v1/key%3D[credential]'],
    ['with its underscores escaped', `/v1/${key.replaceAll('_', '%5F')}/x`, '/v1/[credential]/x'],
    ['with its underscores escaped in lower case', key.replaceAll('_', '%5f'), '[credential]'],
    ['with its underscores escaped twice', `/v1/${key.replaceAll('_', '%255F')}`, '[credential]'],
    ['with a letter escaped', `/v1/${key.replace('t', '%74')}`, '[credential]'],
    ['with all of it escaped', `/v1/${escapedWhole}`, '[credential]'],
    ['twice', `${key},${key}`, '[credential],[credential]'],
    ['twice, once escaped in another way', `${key},${escapedWhole}`, '[credential]'],
    ['beside escapes that are none', `/v1/%zz%ff${escapedWhole}`, '[credential]'],
    [
      'a token whose JSON begins with a space',
      `/x/eyAiYWxnIjoiRVMyNTYifQ.eyAic3ViIjoiYW5uIn0.${'s'.repeat(40)}`,
      '/x/[credential]',
    ],
    ['a token behind what only begins like one', `eyJ.x.eyJ.${token}`, 'eyJ.x.eyJ.[credential]'],
    ['a token', `/v1/${token}/x`, '/v1/[credential]/x'],
    ['a token behind a word', `x_${token}`, 'x_[credential]'],
    ['a token behind an escape', `k%3D${token}`, 'k%3D[credential]'],
  ])('is found and taken out: %s', (_, text, clean) => {
    expect(holdsSecret(text)).toBe(true)
    expect(maskSecrets(text)).toBe(clean)
  })

  it.each(['', 'key-12ab34cd', 'tg_live_short', '/v1/100%/%zz%', 'eyJ', 'a.b.c'])(
    'is not what it looks like: %s',
    (text) => {
      expect(holdsSecret(text)).toBe(false)
      expect(maskSecrets(text)).toBe(text)
    },
  )

  it('leaves no part of itself where a text is cut, wherever that is', () => {
    for (let before = 1900; before < 2060; before++) {
      for (const secret of [key, token, `${token}/${key}`, key.replaceAll('_', '%5F')]) {
        const cut = maskAndCut(`/${'x'.repeat(before)}/${secret}`, 512)
        expect(cut.length).toBeLessThanOrEqual(513)
        expect(cut).not.toMatch(/tg_|tg%|eyJ/)
      }
    }
    const behindLong = maskAndCut(`/v1/eyJ${'a'.repeat(1000)}.${'b'.repeat(995)}/${key}`, 512)
    expect(behindLong).toBe('/v1/[credential]/…')
  })
})
