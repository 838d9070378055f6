/** Cases of the image operations: crop, flip, cutout, padding, more channels than the images have, pictures picked by index. */
import type { Attributes } from '../../../src/graph/graph.js'
import type { Shape } from '../../../src/runtime/dtype.js'
import type { Case, Example } from './case.js'
import type { Draw } from './draw.js'

interface Setting {
  readonly name: string
  readonly images: Shape
  /** Height, width and channels of the output. */
  readonly crop: Shape
  readonly pad?: number
  readonly padMode?: 'zero' | 'reflect'
  readonly cutout?: number
  /** Whether the operand `cutouts` is there; default: where the cutout has a size. */
  readonly cutouts?: boolean
}

const settings: Setting[] = [
  { name: 'whole images', images: [3, 8, 8, 3], crop: [8, 8, 3] },
  { name: 'one channel', images: [2, 7, 5, 1], crop: [7, 5, 1] },
  { name: 'crop', images: [4, 9, 8, 3], crop: [6, 5, 3] },
  { name: 'zero padding', images: [5, 8, 8, 3], crop: [8, 8, 3], pad: 2 },
  { name: 'reflection', images: [5, 6, 8, 3], crop: [6, 8, 3], pad: 4, padMode: 'reflect' },
  { name: 'reflection of a single row', images: [2, 1, 6, 1], crop: [3, 6, 1], pad: 2, padMode: 'reflect' },
  { name: 'channel padding', images: [3, 8, 8, 3], crop: [8, 8, 4], pad: 1 },
  { name: 'cutout', images: [6, 8, 8, 3], crop: [8, 8, 4], pad: 2, cutout: 4 },
  { name: 'cutout of odd size', images: [4, 8, 8, 3], crop: [8, 8, 3], padMode: 'reflect', pad: 1, cutout: 3 },
  { name: 'cutout of size 0', images: [2, 8, 8, 3], crop: [8, 8, 3], cutouts: true },
  { name: 'large', images: [8, 32, 32, 3], crop: [32, 32, 3], pad: 4, cutout: 8 },
]

function common(draw: Draw, s: Setting) {
  const [n, height, width, channels] = s.images as [number, number, number, number]
  const [cropHeight, cropWidth] = s.crop as [number, number]
  const { pad = 0, padMode = 'zero', cutout = 0, cutouts = cutout > 0 } = s
  const room = [height + 2 * pad - cropHeight, width + 2 * pad - cropWidth] as const
  const columns = (high: readonly [number, number]) => {
    const both = high.map(limit => draw.integers(0, limit, [n]).data) as [Int32Array, Int32Array]
    return { shape: [n, 2], data: Int32Array.from({ length: 2 * n }, (_, i) => both[i % 2]![i >> 1]!) }
  }
  const attributes: Attributes = {
    mean: [0.5, 0.25, 0.4].slice(0, channels),
    std: [0.25, 0.5, 0.3].slice(0, channels),
    pad,
    padMode,
    cutout,
  }
  const operands = {
    offsets: columns(room),
    flips: draw.bytes(1, [n]),
    ...(cutouts && { cutouts: columns([cropHeight - 1, cropWidth - 1]) }),
  }
  return { attributes, operands, outputs: { x: { shape: [n, ...s.crop] } } }
}

const fed = settings.map((setting): Case => {
  const make = (draw: Draw): Example => {
    const { operands, ...rest } = common(draw, setting)
    return { inputs: { images: draw.bytes(255, setting.images), ...operands }, ...rest }
  }
  return { op: 'imageInput', name: setting.name, make, terms: 2, exact: false }
})

/** Index -1 stands for an image of zeros. */
const gathered = settings.map((setting): Case => {
  const [n, ...shape] = setting.images as [number, number, number, number]
  const make = (draw: Draw): Example => {
    const { operands, ...rest } = common(draw, setting)
    return { inputs: { dataset: draw.bytes(255, [10, ...shape]), indices: draw.integers(-1, 9, [n]), ...operands }, ...rest }
  }
  return { op: 'gatherImages', name: setting.name, make, terms: 2, exact: false }
})

export const imageCases: readonly Case[] = [...fed, ...gathered]
