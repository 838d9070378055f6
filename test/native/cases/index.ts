/** The one list of cases: every operation of the vocabulary, in every form that has a code path of its own somewhere. */
import type { Case } from './case.js'
import { convolutionCases } from './convolution.js'
import { elementwiseCases } from './elementwise.js'
import { imageCases } from './images.js'
import { lossCases } from './loss.js'
import { normCases } from './norm.js'
import { poolingCases } from './pooling.js'
import { updateCases } from './update.js'

export const cases: readonly Case[] = [
  ...convolutionCases,
  ...normCases,
  ...poolingCases,
  ...elementwiseCases,
  ...lossCases,
  ...imageCases,
  ...updateCases,
]
