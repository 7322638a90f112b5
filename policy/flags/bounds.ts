/** How much flags may ask of a decision: counted on the file, before anything of it is expanded or run. */
import { MOST_ENTRIES } from '../../core/names.ts'

/** Of the file. */
export const MOST_BYTES = 1024 * 1024
/** Of the file with its evaluators in their places. */
export const MOST_EXPANDED = 4 * 1024 * 1024
/** And as many rules under `$evaluators`. */
export const MOST_FLAGS = 1000
/** Of one flag. */
export const MOST_VARIANTS = 1000
/** Of operators, and of lists in lists, in each other. */
export const MOST_LEVELS = 32
/** Steps of one evaluation, as measure.ts estimates them: some 50 ms where all goes against us. */
export const MOST_STEPS = 100_000
/**
 * Operators of one flag, and characters of its rule's JSON, with evaluators and rollout in place: the first decision that asks for the flag
 * compiles the whole rule, and whoever comes meanwhile waits. Each operator takes some 5 to 10 µs, a long list some 60 ns a character.
 */
export const MOST_OPERATORS = 2500
export const MOST_CHARACTERS = 256 * 1024
/** How long a list is taken to be that comes with the request, such as the roles. */
export const LIST_OF_A_REQUEST = MOST_ENTRIES

/** Brackets in each other in the whole file: no operator needs more than three, and some stand around them. */
export const MOST_BRACKETS = 3 * MOST_LEVELS + 32

/** Of a text that `cat` may give. */
export const MOST_JOINED = 16 * 1024
/** How long a text is taken to be that comes with a request, in characters, and each of the roles. */
export const TEXT_OF_A_REQUEST = 1024
export const ROLE_OF_A_REQUEST = 256

/** What a rule comes to with what it refers to in place. */
export interface Extent extends Lengths {
  /** Characters of its JSON. */
  readonly size: number
  readonly levels: number
  readonly operators: number
  /** Values and operators that are looked at, each as often as it is done; one takes up to some 0.5 µs. */
  readonly steps: number
  /** The longest list in it, or that it makes. */
  readonly longest: number
  /** The longest text that a `cat` in it may give. */
  readonly joined: number
}

/** How long what a rule gives may be where it is read as a text, in characters: a list is one too, with commas. */
export interface Lengths {
  readonly text: number
  /** Of an item, where it gives a list. */
  readonly item: number
}

/** Of `null`, `{}` or what cannot be put in place. */
export const NOTHING: Extent = { size: 4, levels: 0, operators: 0, steps: 1, longest: 0, joined: 0, text: 32, item: 32 }
