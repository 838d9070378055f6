/** From the depth of a network for small images to the number of blocks in each of its three stages. */
import { InvalidArgument } from '../runtime/errors.js'

/** (depth - outside) / (3 · layers of a block), which must be a whole number; `outside`: layers that are in no stage. */
export function blocksAStage(name: string, depth: number, block: 'basic' | 'bottleneck', outside = 2): number {
  const period = block === 'basic' ? 6 : 9
  const blocks = (depth - outside) / period
  if (!Number.isInteger(blocks) || blocks < 1) {
    const few = [1, 2, 3].map(n => n * period + outside).join(', ')
    throw new InvalidArgument(`${name}: depth must be ${period}n + ${outside} (${few}, …) with ${block} blocks, got ${depth}`)
  }
  return blocks
}
