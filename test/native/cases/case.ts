/** A case: one use of an operation, run by several tests on several devices. */
import type { Attributes } from '../../../src/graph/graph.js'
import type { RunOperationOptions } from '../../../src/graph/run.js'
import type { OpName } from '../../../src/graph/vocabulary.js'
import type { HostTensor } from '../../../src/runtime/dtype.js'
import type { Draw } from './draw.js'

export interface Example extends Pick<RunOperationOptions, 'outputs' | 'seed' | 'step' | 'learningRates'> {
  readonly inputs: Readonly<Record<string, HostTensor>>
  readonly attributes?: Attributes
}

export interface Case {
  readonly op: OpName
  readonly name: string
  readonly make: (draw: Draw) => Example
  /** How many products or numbers are added up for one number of the result. Default 1. */
  readonly terms?: number
  /** Small integers give results without any rounding. Default true. */
  readonly exact?: boolean
  /** NaN or infinity is meant to be in the results. */
  readonly nonFinite?: boolean
}
