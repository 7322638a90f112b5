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

  it('leave the memory with what comes after them, also when few come', () => {
    const answers = createRememberedAnswers<string>({ entries: 1000, ms: 1000 })
    for (let n = 0; n < 100; n += 1) answers.set(`old ${n}`, 'gate', 'a', 0)
    for (let n = 0; n < 60; n += 1) answers.set(`new ${n}`, 'gate', 'a', 1000)
    expect(answers.size).toBe(60)
  })

  it('are never more than they may be: the oldest go', () => {
    const answers = createRememberedAnswers<string>({ entries: 3, ms: 1000 })
    for (let n = 0; n < 10; n += 1) answers.set(`r${n}`, 'gate', `a${n}`, 0)
    expect(answers.size).toBe(3)
    expect([6, 7, 8, 9].map((n) => answers.get(`r${n}`, 'gate', 1))).toEqual([undefined, 'a7', 'a8', 'a9'])
  })
})
