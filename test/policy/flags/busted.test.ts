/** Each way to write a bad flag file, one fixture per fault: where in that file it is told, and in what words. */
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { packageRoot } from '../../../package-root.ts'
import { type BustedFiles, expectFault, expectFixtures, type Fault } from '../busted-files.ts'
import { problemsWith } from './flag-policy.ts'

const files: BustedFiles = {
  folder: join(packageRoot, 'test', 'fixtures', 'flags'),
  ending: '.json',
  problemsOf: (file) => problemsWith(file),
}

/** Paths are those in the flag file. */
const CASES: readonly Fault[] = [
  ['trailing-comma', 6, '', 'a comma stands before a closing bracket'],
  ['missing-comma', 5, '', 'a comma is missing before this'],
  ['comment', 4, '', 'it holds a comment'],
  ['single-quotes', 4, '', 'a single quote; double quotes'],
  ['word-without-quotes', 4, '', 'a word without quotes'],
  ['missing-colon', 4, '', 'a colon is missing after a name'],
  ['unclosed', 8, '', 'it ends before everything is closed'],
  ['after-its-end', 10, '', 'something stands after its end'],
  ['yaml', 1, '', 'is not JSON'],
  ['number', 5, '', 'a number is not written as JSON writes it'],
  ['empty', 1, '', 'it ends before everything is closed'],
  ['too-many-brackets', 7, '', 'is nested too deeply: 128 brackets at most'],
  ['duplicate-flag', 8, 'flags.one', 'stands there twice (see line 3)'],
  ['duplicate-variant', 5, 'flags.one.variants.on', 'stands there twice (see line 5)'],
  ['proto-flag', 3, 'flags.__proto__', 'may not be used as a key'],
  ['prototype-flag', 3, 'flags.constructor', 'is a name that every object has'],
  ['prototype-variant', 5, 'flags.one.variants.toString', 'is a name that every object has'],
  ['list', 1, '', 'is a list and no flag file'],
  ['without-flags', 1, '', 'has no `flags`'],
  ['list-of-flags', 1, 'flags', 'is a list; `"flags": { … }`, by their names'],
  ['flag-without-name', 3, 'flags[""]', 'is no name'],
  [
    'flag-with-comma',
    3,
    'flags["one,two"]',
    'is a name that a header cannot carry; 1 to 128 characters of visible ASCII',
  ],
  ['flag-with-equals-sign', 3, 'flags["one=two"]', 'visible ASCII, without spaces, `,` and `=`,'],
  ['variant-with-comma', 7, 'flags.one.variants["o,ff"]', 'is a name that a header cannot carry'],
  ['flag-of-nothing', 1, 'flags.one', 'is null and no flag'],
  ['without-state', 3, 'flags.one', 'has no `state`'],
  ['state', 4, 'flags.one.state', 'is no state of a flag; `"ENABLED"` or `"DISABLED"`'],
  ['without-variants', 3, 'flags.one', 'has no `variants`'],
  ['empty-variants', 5, 'flags.one.variants', 'is empty; variants and their values'],
  ['list-of-variants', 5, 'flags.one.variants', 'is a list; variants and their values'],
  ['mixed-variants', 5, 'flags.one.variants.off', 'is a number, and variant `on` is a text: all of a flag are alike'],
  ['variant-of-null', 5, 'flags.one.variants.off', 'is null, which no variant can be'],
  ['default-variant', 6, 'flags.one.defaultVariant', 'there is no variant `offf`; did you mean `off`?'],
  ['default-variant-of-another-type', 6, 'flags.one.defaultVariant', 'is a boolean; the name of a variant'],
  ['metadata', 7, 'flags.one.metadata.owner', 'is a list; a text, a number or a boolean'],
  [
    'sticky-for-nobody',
    7,
    'flags.one.metadata.targetingKey',
    'is nobody whom a flag can be sticky for; `"tenant"` or `"user"`',
  ],
  ['metadata-of-the-set', 2, 'metadata', 'is a text; a map of plain values'],
  ['targeting-of-text', 7, 'flags.one.targeting', 'is a text and no rule'],
  ['operator', 7, 'flags.one.targeting.iff', 'is no operator that flagd knows; did you mean `if`?'],
  ['operator-far-from-any', 7, 'flags.one.targeting.no-such-operation', 'is no operator that flagd knows'],
  ['operator-deep-inside', 7, 'flags.one.targeting.if[0].and[1].semver', 'did you mean `sem_ver`?'],
  ['operator-in-a-list', 7, 'flags.one.targeting.in[1][0].throw', 'is no operator that flagd knows'],
  ['two-operators', 7, 'flags.one.targeting', 'holds several operators (`if`, `or`); a map is one'],
  ['operands-without-list', 7, 'flags.one.targeting["=="]', 'is a text; `{ "==": [ … ] }`'],
  ['too-few-operands', 7, 'flags.one.targeting.if[0].starts_with', 'takes 2 operands, and has 1'],
  ['too-many-operands', 7, 'flags.one.targeting.if[0]["<"]', 'takes 2 to 3 operands, and has 4'],
  ['number-for-text', 7, 'flags.one.targeting.if[0].ends_with[1]', 'is a number, and only texts are compared here'],
  ['version', 7, 'flags.one.targeting.if[0].sem_ver[2]', 'is neither a version nor a variable; `"1.2.0"`'],
  ['version-comparison', 7, 'flags.one.targeting.if[0].sem_ver[1]', 'is no comparison of versions; one of `=`'],
  ['weight-with-fraction', 7, 'flags.one.targeting.fractional[0][1]', 'is not a weight: a whole number, 0 or more'],
  ['weight-below-zero', 7, 'flags.one.targeting.fractional[1][1]', 'is not a weight: a whole number, 0 or more'],
  ['weights-too-large', 7, 'flags.one.targeting.fractional', 'has weights of more than 2147483647 together'],
  ['bucket', 7, 'flags.one.targeting.fractional[1]', 'is no bucket: a variant and its weight'],
  [
    'hashes-roles',
    7,
    'flags.one.targeting',
    'has a `fractional` that may hash a list, such as the roles, which flagd takes for a bucket of its own; a text there',
  ],
  ['no-buckets', 7, 'flags.one.targeting.fractional', 'has no buckets'],
  [
    'variable-of-flagd',
    7,
    'flags.one.targeting.if[0][">"][0].var',
    'is nothing that flagd tells; `$flagd.timestamp` or `$flagd.flagKey`',
  ],
  ['clock-by-another-way', 7, 'flags.one.targeting.reduce[1].var', 'is nothing that flagd tells'],
  ['variable-of-every-object', 7, 'flags.one.targeting.if[0].var', 'is a name that every object has'],
  ['variable-computed', 7, 'flags.one.targeting.if[0].var', 'is a map and no name of a variable; its name as a text'],
  ['variable-that-climbs', 7, 'flags.one.targeting.if[0].some[1].var', 'climbs out of the item that an operator is at'],
  ['missing-of-a-rule', 7, 'flags.one.targeting.if[0].missing[0]', 'is a map and no name of a variable'],
  [
    'computes-with-text',
    7,
    'flags.one.targeting.if[0]["<"][0]["%"]',
    'fails whatever is asked, as a comparison of a text with a number does',
  ],
  ['divides-by-nothing', 7, 'flags.one.targeting.if[0][">"][0]["/"]', 'fails whatever is asked'],
  [
    'evaluator',
    8,
    'flags.one.targeting.if[0].$ref',
    'there is no rule in `$evaluators` named `beta-tenant`; did you mean `beta-tenants`?',
  ],
  ['evaluator-without-any', 7, 'flags.one.targeting.if[0].$ref', 'there is no rule in `$evaluators` named `beta`'],
  ['evaluator-of-itself', 3, '$evaluators.a', 'refers to itself, or to a rule that does'],
  ['evaluator-with-a-fault', 2, '$evaluators.a.equals', 'is no operator that flagd knows'],
  ['evaluators-that-multiply', 2, '$evaluators', 'makes more than 4 MB of rules where it is referred to'],
  ['nested-too-deeply', 7, 'flags.one.targeting', 'is nested too deeply: 32 operators in each other at most'],
  [
    'nested-too-deeply-by-evaluators',
    35,
    '$evaluators.a32',
    '32 operators in each other at most, with those of `$evaluators`',
  ],
  ['too-many-steps', 7, 'flags.one.targeting', 'may take 1,823,415 steps for one request; 100,000 at most'],
  [
    'growing-in-reduce',
    7,
    'flags.one.targeting.reduce[1].cat',
    'stands in what `reduce` does with each item, by which results could grow without end',
  ],
  [
    'operator-of-flagd-for-each-item',
    7,
    'flags.one.targeting.if[0].some[1].starts_with',
    'stands in what `some` does with each item, where it always fails',
  ],
  ['map-in-reduce', 7, 'flags.one.targeting.reduce[1].map', 'stands in what `reduce` does with each item'],
  ['growing-in-map', 7, 'flags.one.targeting.in[1].map[1].merge', 'stands in what `map` does with each item'],
  ['list-for-each-item', 7, 'flags.one.targeting.in[1].map[1]', 'builds a list for each item of `map`'],
]

describe('a flag file with one fault', () => {
  it.each(CASES)('busted-%s.json is refused at line %i, %s: %s', (...fault) => expectFault(files, fault))

  it('has a fixture for every case and a case for every fixture', () => expectFixtures(files, CASES))
})
