/** What a flag file comes to where it is good, and how what is told of it stands beside what is told of its policy. */
import { describe, expect, it } from 'vitest'
import { readBundle } from '../../../policy/bundle.ts'
import { parsePolicy } from '../../../policy/parse.ts'
import { formatProblem } from '../../../policy/problem.ts'
import { definitionOf, flagsOf, type More, policyWith, problemsWith } from './flag-policy.ts'

const variants = { on: 'a', off: 'b' }
const flag = (more: object = {}) => ({ state: 'ENABLED', variants, defaultVariant: 'off', ...more })

function notesOf(content: unknown, more?: More): readonly string[] {
  const result = policyWith('/flags.json', content, more)
  return result.ok ? result.notes.map(formatProblem) : ['refused']
}

describe('a flag file', () => {
  it('is told every fault, each once and in the order of its lines', () => {
    const text = JSON.stringify(
      {
        flags: {
          one: flag({ state: 'on', targeting: { if: [{ semver: [] }, { fractional: [['on', 0.5]] }, { $ref: 'x' }] } }),
          two: flag({ defaultVariant: 'of' }),
        },
      },
      null,
      2,
    )
    const told = problemsWith('/flags.json', text).map(({ line, path }) => [line, path])
    expect(told).toEqual([
      [4, 'flags.one.state'],
      [13, 'flags.one.targeting.if[0].semver'],
      [19, 'flags.one.targeting.if[1].fractional[0][1]'],
      [24, 'flags.one.targeting.if[2].$ref'],
      [35, 'flags.two.defaultVariant'],
    ])
  })

  it('is named as somebody would name it who has named the policy, and comes after what is told of that', () => {
    const policy =
      'version: 1\nplans: { free: {} }\ntenants: { acme: { plan: fre } }\nroutes: [{ name: all, match: { path: /** } }]\n'
    const result = parsePolicy(`${policy}flags: flags/all.json\n`, {
      file: 'conf/policy.yaml',
      readFile: () => ({ text: '{ "flags": { "one": {} } }' }),
      env: {},
    })
    const told = result.ok ? [] : result.problems.map(formatProblem)
    expect(told[0]).toMatch(/^conf\/policy\.yaml:3:/)
    expect(told[1]).toMatch(
      /^conf\/flags\/all\.json:1:14: flags\.one: has no `state`; write `"state": "ENABLED"` instead$/,
    )
  })

  it('is checked likewise where a policy carries it, as in Redis', () => {
    const text =
      'version: 1\nplans: {}\ntenants: {}\nroutes: [{ name: all, match: { path: /** } }]\nflags: flags.json\n'
    const files = { 'flags.json': '{\n  "flags": { "one": { "state": "no", "variants": { "on": true } } }\n}' }
    const read = readBundle({ version: 'v1', source: '/conf/policy.yaml', text, files }, {})
    const [problem] = read.kind === 'refused' ? read.problems : []
    expect(problem).toMatchObject({ file: '/conf/flags.json', line: 2, path: 'flags.one.state' })
  })

  it.each(['käse', 'a b', 'a\u0001b', 'a\u007f', '\u0000', 'x'.repeat(129)])(
    'has no flag and no variant named %j, which no header could carry',
    (name) => {
      const [ofVariant] = problemsWith('/flags.json', {
        flags: { one: flag({ variants: { ...variants, [name]: 'c' } }) },
      })
      expect(ofVariant).toMatchObject({
        message: expect.stringContaining('is a name that a header cannot carry'),
        fix: '1 to 128 characters of visible ASCII, without spaces and `,`,',
      })
      const told = problemsWith('/flags.json', { flags: { two: flag(), [name]: { state: 'no' } } })
      const fix = '1 to 128 characters of visible ASCII, without spaces, `,` and `=`,'
      expect(told).toEqual([expect.objectContaining({ message: ofVariant?.message, fix })])
    },
  )

  it('has variants of any name that a header carries, up to 128 characters', () => {
    const names = ['~!', 'v1.2/canary', 'a=b', 'x'.repeat(128)]
    const flags = flagsOf({
      flags: { one: flag({ variants: Object.fromEntries(names.map((name) => [name, name])), defaultVariant: '~!' }) },
    })
    expect(names.map((name) => flags.valueOf('one', name))).toEqual(names)
  })

  it('may be indented by tabs, and keeps what it says of texts', () => {
    const text =
      '{\n\t"flags": {\n\t\t"one": {"state": "ENABLED",\t"variants": {"on": "\\ud83d\\ude00 \\/"},\n"defaultVariant" : "on"}\n\t}\n}'
    expect(flagsOf(text).evaluate('one', 'c', {})).toMatchObject({ value: '😀 /' })
  })

  it('is known under the names of its flags', () => {
    expect(flagsOf({ flags: { one: flag(), two: flag() } }).names).toEqual(['one', 'two'])
    expect(flagsOf({ flags: {} }).names).toEqual([])
  })

  it('has its shared rules put in place, whichever comes first and whatever they hold', () => {
    const rules = {
      inner: { '==': [{ var: 'user' }, '$& $1 $$ $`'] },
      outer: { and: [{ $ref: 'inner' }, { var: 'beta' }] },
    }
    for (const order of [
      ['inner', 'outer'],
      ['outer', 'inner'],
    ] as const) {
      const $evaluators = Object.fromEntries(order.map((name) => [name, rules[name]]))
      const content = { $evaluators, flags: { one: flag({ targeting: { if: [{ $ref: 'outer' }, 'on', 'off'] } }) } }
      expect(definitionOf(content)).not.toContain('$ref')
      expect(flagsOf(content).evaluate('one', 'c', { user: '$& $1 $$ $`', beta: true })).toMatchObject({
        variant: 'on',
      })
      expect(flagsOf(content).evaluate('one', 'c', { user: 'x', beta: true })).toMatchObject({ variant: 'off' })
    }
  })

  it('may have a rule that is a shared one altogether', () => {
    const content = { $evaluators: { all: { if: [true, 'on'] } }, flags: { one: flag({ targeting: { $ref: 'all' } }) } }
    expect(flagsOf(content).evaluate('one', 'c', {})).toMatchObject({ variant: 'on', reason: 'TARGETING_MATCH' })
  })
})

describe('what is perhaps a slip in a flag file', () => {
  it('is noted where a rule names a variant that the flag does not have', () => {
    const targeting = {
      if: [
        { var: 'beta' },
        'onn',
        {
          fractional: [
            ['off', 1],
            ['canary', 1],
          ],
        },
      ],
    }
    expect(notesOf({ flags: { one: flag({ targeting }) } })).toEqual([
      expect.stringContaining('flags.one.targeting.if[1]: there is no variant `onn`; did you mean `on`?'),
      expect.stringContaining('flags.one.targeting.if[2].fractional[1][0]: there is no variant `canary`'),
    ])
  })

  it.each([
    [['off'], 'write `"off"` instead'],
    [['none'], 'write the name of a variant instead'],
    [['off', 'on'], 'write the name of a variant instead'],
    [[], 'write the name of a variant instead'],
  ])('is noted where a rule results in the list %j', (list, fix) => {
    const noteOf = (targeting: object) => {
      const [note = '', ...more] = notesOf({ flags: { one: flag({ targeting }) } })
      expect([more, note]).toEqual([[], expect.stringContaining(fix)])
      return note
    }
    const escaping = 'is a list, whose text flagd takes for a variant, and a rollout does not'
    expect(noteOf({ if: [{ var: 'beta' }, 'on', list] })).toContain(`flags.one.targeting.if[2]: ${escaping}`)
    const inside = { if: [{ var: 'x' }, list, null] }
    expect(noteOf({ if: [{ var: 'beta' }, inside, 'on'] })).toContain(`flags.one.targeting.if[1].if[1]: ${escaping}`)
    const share = {
      fractional: [
        [list, 1],
        ['on', 1],
      ],
    }
    expect(noteOf(share)).toContain('flags.one.targeting.fractional[0][0]: is a list, by which no bucket of these is')
  })

  it('is noted of lists that are so: they are no variant to a rollout, and end a share', () => {
    const rollouts = { one: { variant: 'on', steps: [{ from: '2026-01-01T00:00:00Z', percent: 100 }] } }
    const variantOf = (targeting: object, more?: More) =>
      flagsOf({ flags: { one: flag({ targeting }) } }, more).evaluate('one', 'c', { 'tenantgate:timestamp': 2e9 })
    expect(variantOf({ if: [true, 'off'] }, { rollouts })).toMatchObject({ variant: 'on' })
    expect(variantOf({ if: [true, ['off']] }, { rollouts })).toMatchObject({ variant: 'off' })
    expect(variantOf({ if: [true, ['off', 'on']] })).toMatchObject({ reason: 'ERROR' })
    expect(variantOf({ fractional: [{ cat: ['x'] }, [['on'], 1]] })).toMatchObject({
      reason: 'DEFAULT',
      variant: 'off',
    })
  })

  it('is no list that a rule compares with, and no rule that is empty', () => {
    const compared = { if: [{ in: [{ var: 'plan' }, ['off', 'on']] }, 'on', 'off'] }
    for (const targeting of [compared, {}]) expect(notesOf({ flags: { one: flag({ targeting }) } })).toEqual([])
    // flagd's schema has no empty map for a result
    const empty = { if: [{ var: 'beta' }, 'on', {}] }
    expect(problemsWith('/flags.json', { flags: { one: flag({ targeting: empty }) } })).toEqual([
      expect.objectContaining({ path: 'flags.one.targeting.if[2]' }),
    ])
  })

  it('is noted where a rule reads a header that `flags.headers` does not name, or in capitals', () => {
    const read = (name: string) => ({ flags: { one: flag({ targeting: { if: [{ '!!': [{ var: name }] }, 'on'] } }) } })
    const notes = (name: string) => notesOf(read(name), { headers: ['X-App-Version'] })
    expect(notes('header:x-app-version')).toEqual([])
    for (const name of ['header:X-App-Version', 'header:x-app-versions']) {
      expect(notes(name)).toEqual([expect.stringContaining('; did you mean `header:x-app-version`?')])
    }
    expect(notes('header:cookie')).toEqual([
      expect.stringMatching(/names no header `cookie`, so that it is never there$/),
    ])
    const shared = { $evaluators: { old: { missing: ['header:x-app'] } }, flags: { one: flag() } }
    expect(notesOf(shared)).toEqual([expect.stringContaining('$evaluators.old.missing[0]: `flags.headers`')])
    // there it is a field of the item
    const ofItems = { if: [{ some: [{ var: 'roles' }, { '==': [{ var: 'header:x' }, 1] }] }, 'on'] }
    expect(notesOf({ flags: { one: flag({ targeting: ofItems }) } })).toEqual([])
  })

  it('is noted where a key that nobody reads is nearly one that is read', () => {
    expect(notesOf({ flags: { one: flag({ targetting: {} }) } })).toEqual([
      expect.stringContaining('flags.one.targetting: is not read by anybody; did you mean `targeting`?'),
    ])
  })

  it('is nothing in a file as people write it', () => {
    const targeting = {
      if: [
        { var: 'beta' },
        'on',
        { and: [{ var: 'x' }, 'y'] },
        'off',
        {
          fractional: [
            ['on', 5],
            ['off', 95],
          ],
        },
      ],
    }
    const file = {
      $schema: 'https://flagd.dev/schema/v0/flags.json',
      metadata: { version: '1' },
      flags: { one: flag({ targeting }) },
    }
    expect(notesOf(file)).toEqual([])
  })
})
