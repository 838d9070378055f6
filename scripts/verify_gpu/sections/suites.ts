// The sections made of this package's own tests, the same files that run on the CPU.
import type { Reporter } from '../reporter.js'
import { runSuites } from '../suite/run.js'

const operations = {
  operations: () => import('../../../test/native/operations.test.js'),
  mask: () => import('../../../test/native/mask.test.js'),
  operations_16bit: () => import('../../../test/native/operations_16bit.test.js'),
  pitched: () => import('../../../test/native/pitched.test.js'),
  float16: () => import('../../../test/native/float16.test.js'),
  chunks: () => import('../../../test/native/chunks.test.js'),
  misuse: () => import('../../../test/native/misuse.test.js'),
}

const golden = {
  operations: () => import('../../../test/golden/operations.test.js'),
  resnet20_step: () => import('../../../test/golden/resnet20_step.test.js'),
  trajectory: () => import('../../../test/golden/trajectory.test.js'),
}

export const operationCases = (reporter: Reporter) => runSuites(reporter, operations, reporter.settings.small ? 10 : 1)
export const goldenFiles = (reporter: Reporter) => runSuites(reporter, golden)
