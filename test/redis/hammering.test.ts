/** Two instances, hammered. */
import { describeHammering } from './hammering.ts'

describeHammering(2)
