/** The whole table. */
import type { Row } from '../row.ts'
import { ANSWERS } from './answers.ts'
import { HITS } from './hits.ts'
import { MATCHING } from './matching.ts'
import { MODES } from './modes.ts'
import { READING } from './reading.ts'
import { WILDCARDS } from './wildcards.ts'

export { REFUSED } from './refused.ts'

export const TABLE: Readonly<Record<string, readonly Row[]>> = {
  matching: MATCHING,
  wildcards: WILDCARDS,
  modes: MODES,
  hits: HITS,
  answers: ANSWERS,
  reading: READING,
}
