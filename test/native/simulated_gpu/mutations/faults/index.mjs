// The faults: `name`; `file` in native/cuda; `find`, a text that is in it exactly once, and what stands in its place; `about`, the
// mistake it stands for; `tests` that must see it, by file and by a pattern of their titles, and by vitest's project where that is not `native`.
import { createHash } from 'node:crypto'
import { batchNorm } from './batch_norm.mjs'
import { convolution } from './convolution.mjs'
import { elementwise } from './elementwise.mjs'
import { host } from './host.mjs'
import { normEnginesFaults } from './norm_engines.mjs'
import { pooling } from './pooling.mjs'
import { update } from './update.mjs'
import { simulatedBackend } from '../../sources.mjs'

export const faults = [...convolution, ...batchNorm, ...normEnginesFaults, ...pooling, ...elementwise, ...update, ...host]

/** What faults are made in and seen by: the backend with the formulas it shares, what stands in for a GPU, and the tests. */
export const tested = [
  ...simulatedBackend,
  'test/native/cases/**',
  'test/native/helpers.ts',
  'test/native/processes/gpu.ts',
  'test/native/simulated_gpu/build.ts',
  'test/native/simulated_gpu/support_table.txt',
  ...new Set(faults.flatMap(({ tests }) => tests.map(({ file }) => file))),
  'test/golden/golden_file.ts',
  'test/golden/training_helper.ts',
  'test/golden/trajectory.*',
]

/** What a result speaks of. */
export const sources = [...tested, 'test/native/simulated_gpu/mutations/**']

/** Tells a fault from what it was when it was tried. */
export const idOf = fault => createHash('sha256').update(JSON.stringify(fault)).digest('hex')
