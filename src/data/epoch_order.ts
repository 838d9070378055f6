/**
 * Which images a process sees in an epoch. The processes of a data-parallel training share one permutation: of each global batch, of
 * `ranks` times `batchSize` images, process `rank` takes its own `batchSize` in a row. So they see together what one process with the
 * global batch sees, and each image is changed as there.
 */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger } from '../runtime/options.js'
import { permutation } from '../runtime/philox.js'

/** One process of a data-parallel training. */
export interface Rank {
  /** Its number, from 0; default 0. */
  rank?: number
  /** How many there are; default 1. */
  ranks?: number
}

/** Throws InvalidArgument; `where`: 'Loader'. */
export function checkRank(where: string, { rank = 0, ranks = 1 }: Rank): Required<Rank> {
  requireInteger(where, 'ranks', ranks)
  requireInteger(where, 'rank', rank, 0)
  if (rank >= ranks) throw new InvalidArgument(`${where}: rank must be 0 to ${ranks - 1} of ${ranks} ranks, got ${rank}`)
  return { rank, ranks }
}

/** Where in the epoch's order a batch of the rank begins. */
export const startOf = (batch: number, batchSize: number, { rank, ranks }: Required<Rank>): number =>
  (batch * ranks + rank) * batchSize

/** Global batches of an epoch; `full`: without a last one that is not full. */
export function batchesOf(size: number, batchSize: number, { ranks }: Required<Rank>, full: boolean): number {
  const batches = size / (batchSize * ranks)
  return full ? Math.floor(batches) : Math.ceil(batches)
}

/** The images of all full batches of the rank in a random order, batch after batch. */
export function shuffledBatches(size: number, batchSize: number, seed: number, epoch: number, rank: Required<Rank>): Int32Array {
  const order = permutation(size, seed, epoch)
  const batches = batchesOf(size, batchSize, rank, true)
  const mine = new Int32Array(batches * batchSize)
  for (let batch = 0; batch < batches; ++batch) {
    const start = startOf(batch, batchSize, rank)
    mine.set(order.subarray(start, start + batchSize), batch * batchSize)
  }
  return mine
}
