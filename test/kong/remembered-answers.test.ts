/** What was charged is remembered long enough for a repeat, and no longer; and however many ask, the memory has an end. */
import { describe, expect, it } from 'vitest'
import { createRememberedAnswers } from '../../kong/remembered-answers.ts'

describe('remembered answers', () => {
  it('are those of one request at one stage', () => {
    const answers = createRememberedAnswers<string>()
    answers.set('r', 'gate', 'a', 0)
    expect(answers.get('r', 'gate', 1)).toBe('a')
    expect(answers.get('r', 'quota', 1)).toBeUndefined()
    expect(answers.get('s', 'gate', 1)).toBeUndefined()
  })

  it('are forgotten when their time is over', () => {
    const answers = createRememberedAnswers<string>({ entries: 10, ms: 1000 })
    answers.set('r', 'gate', 'a', 0)
    expect(answers.get('r', 'gate', 999)).toBe('a')
    expect(answers.get('r', 'gate', 1000)).toBeUndefined()
  })

  it('leave the memory with what comes after them', () => {
    const answers = createRememberedAnswers<string>({ entries: 1000, ms: 1000 })
    for (let n = 0; n < 100; n += 1) answers.set(`old ${n}`, 'gate', 'a', 0)
    answers.set('later', 'gate', 'a', 1500)
    expect(answers.size).toBe(101)
    answers.set('much later', 'gate', 'a', 2600)
    expect(answers.size).toBe(2)
    answers.set('after a long time', 'gate', 'a', 9999)
    expect(answers.size).toBe(1)
  })

  it('are never more than they may be: the oldest go', () => {
    const answers = createRememberedAnswers<string>({ entries: 4, ms: 1000 })
    for (let n = 0; n < 100; n += 1) {
      answers.set(`r${n}`, 'gate', `a${n}`, 0)
      expect(answers.size).toBeLessThanOrEqual(4)
    }
    expect(['r0', 'r90', 'r98', 'r99'].map((id) => answers.get(id, 'gate', 1))).toEqual([
      undefined,
      undefined,
      'a98',
      'a99',
    ])
  })
})
