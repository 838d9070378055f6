// The faults: `name`; `file` in native/cuda; `find`, a text that is in it exactly once, and what stands in its place; `about`, the
// mistake it stands for; `tests` that must see it, by file and by a pattern of their titles.
import { batchNorm } from './batch_norm.mjs'
import { convolution } from './convolution.mjs'
import { elementwise } from './elementwise.mjs'
import { host } from './host.mjs'
import { pooling } from './pooling.mjs'
import { update } from './update.mjs'

export const faults = [...convolution, ...batchNorm, ...pooling, ...elementwise, ...update, ...host]

/** What a result of these faults speaks of. */
export const sources = [
  'native/**',
  'test/native/simulated_gpu/**',
  'test/native/cases/**',
  'test/native/*.ts',
  'test/golden/**',
  'src/**',
]
