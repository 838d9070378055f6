/** What a plan is made from: the contract between TypeScript and the addon (decoded in native/binding/decode.cc). */
import type { DType, Shape } from './dtype.js'
import type { Policy } from './policy.js'

export interface PlanDesc {
  readonly device: string
  /** Look at every node's outputs and stop at the first that is not finite. */
  readonly checked: boolean
  /** Tensors that live within one region take memory for a chunk of it. */
  readonly chunkMemory: boolean
  readonly policy: Policy
  readonly tensors: readonly TensorEntry[]
  readonly nodes: readonly NodeEntry[]
  readonly regions: readonly RegionEntry[]
  /** Tensors copied back to the host after a run. */
  readonly outputs: readonly { readonly name: string; readonly tensor: number }[]
}

export interface TensorEntry {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /**
   * `arena`: planned memory · `view`: `offset` elements into the tensor `of` · `store`: `offset` elements into the store's
   * arena `arena` · `input`: filled by the host before each run · `resident`: filled by the host once
   */
  readonly place: 'arena' | 'view' | 'store' | 'input' | 'resident'
  readonly of: number
  readonly offset: number
  /** View: elements from a pixel to the next where they are more than the channels; 0: dense. */
  readonly pitch: number
  readonly arena: string
  /** Keeps its bytes from the first microbatch to the end of the step, whatever its readers are. */
  readonly wholeStep: boolean
  /** A parameter: changes only between steps. */
  readonly parameter: boolean
}

export interface NodeEntry {
  readonly name: string
  readonly op: string
  readonly section: 'gradient' | 'update'
  /** Tensor numbers by position in the vocabulary's operand list; -1: absent. */
  readonly reads: readonly number[]
  readonly writes: readonly number[]
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>
}

export interface RegionEntry {
  readonly begin: number
  readonly end: number
  readonly chunk: number
}
