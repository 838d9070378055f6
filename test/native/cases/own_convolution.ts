/** Convolutions that are large enough, or small enough, for kernels of our own on the CPU. */
import { deviceInfo } from '../../../src/runtime/devices.js'
import { convolutionCasesOf, type Geometry } from './convolution.js'

const same = [1, 1, 1, 1]
const two = [2, 2]
const wide = [2, 2, 2, 2]

export const winogradGeometries: readonly Geometry[] = [
  { name: 'whole tiles', x: [8, 16, 16, 16], filters: [32, 3, 3], pad: same },
  { name: 'tiles that reach over the edge', x: [5, 14, 13, 64], filters: [64, 3, 3], pad: same },
  { name: 'panels of all widths', x: [6, 15, 17, 48], filters: [112, 3, 3], pad: same },
  { name: 'images of less than a tile', x: [128, 3, 3, 64], filters: [64, 3, 3], pad: same },
  { name: 'no padding', x: [8, 18, 14, 32], filters: [16, 3, 3] },
  { name: 'padding of four sides', x: [8, 15, 15, 32], filters: [32, 3, 3], pad: [0, 1, 2, 1] },
  { name: 'channels that fill no vector', x: [8, 16, 15, 44], filters: [12, 3, 3], pad: same },
  { name: 'filters that fill no vector', x: [8, 16, 16, 12], filters: [70, 3, 3], pad: same },
  { name: 'sums that leave the cache', x: [12, 20, 20, 96], filters: [96, 3, 3], pad: same },
]

const lanes = { avx512: 16, avx2: 8 }[deviceInfo('cpu').instructions] ?? 4

/** 3x3 in groups, with stride 1 and 2. */
export const stride1: readonly Geometry[] = [
  { name: 'odd size', x: [3, 13, 15, 32], filters: [32, 3, 3], pad: same },
  { name: 'padding of four sides', x: [2, 7, 9, 32], filters: [32, 3, 3], pad: [0, 1, 2, 1] },
]
export const stride2: readonly Geometry[] = [
  { name: 'stride 2', x: [3, 16, 17, 32], filters: [32, 3, 3], stride: two, pad: same },
  { name: 'padding of four sides, stride 2', x: [2, 7, 8, 32], filters: [32, 3, 3], stride: two, pad: [2, 1, 1, 2] },
  {
    name: 'padding of four sides, stride 2, the other way',
    x: [2, 8, 7, 32],
    filters: [32, 3, 3],
    stride: two,
    pad: [1, 2, 2, 0],
  },
]
/** What does not depend on the size of groups. */
const others: readonly Geometry[] = [
  { name: 'one image', x: [1, 9, 17, 64], filters: [64, 3, 3], pad: same },
  { name: 'no padding', x: [2, 8, 10, 32], filters: [32, 3, 3] },
  { name: 'no padding, stride 2', x: [2, 8, 11, 32], filters: [32, 3, 3], stride: two },
  { name: 'one pixel', x: [5, 1, 1, 32], filters: [32, 3, 3], pad: same },
  { name: 'one pixel, stride 2', x: [5, 1, 1, 32], filters: [32, 3, 3], stride: two, pad: same },
  { name: 'one pixel, padding 2', x: [5, 1, 1, 32], filters: [32, 3, 3], pad: wide },
  { name: 'one pixel, padding 2, stride 2', x: [5, 1, 1, 32], filters: [32, 3, 3], stride: two, pad: wide },
  // Two threads share the block in the middle, or the only one.
  { name: 'three vectors', x: [2, 13, 15, 3 * lanes], filters: [3 * lanes, 3, 3], pad: same },
  { name: 'three vectors, stride 2', x: [2, 16, 17, 3 * lanes], filters: [3 * lanes, 3, 3], stride: two, pad: same },
  { name: '16 channels', x: [2, 13, 15, 16], filters: [16, 3, 3], pad: same },
  { name: '16 channels, stride 2', x: [2, 16, 17, 16], filters: [16, 3, 3], stride: two, pad: same },
  { name: 'bands', x: [2, 24, 25, 128], filters: [128, 3, 3], pad: same },
  { name: 'bands, stride 2', x: [1, 45, 46, 128], filters: [128, 3, 3], stride: two, pad: same },
]

export const inGroupsOf = (group: number, geometries: readonly Geometry[]) =>
  convolutionCasesOf(geometries.map(each => ({ ...each, name: `${each.name}, ${group} a group`, groups: each.x[3]! / group })))

export const groupedCases = [
  ...inGroupsOf(4, [...stride1, ...stride2, ...others]),
  ...(lanes >= 8 ? inGroupsOf(8, [...stride1, ...stride2]) : []),
  ...(lanes >= 16 ? inGroupsOf(16, stride2) : []),
]

/** Of which only the filter gradient has one, where oneDNN has but a general product. */
export const tapwiseGeometries: readonly Geometry[] = [
  { name: '2x2 pixels', x: [5, 2, 2, 64], filters: [64, 3, 3], pad: same },
  { name: 'more pixels than a product adds up', x: [37, 2, 2, 32], filters: [48, 3, 3], pad: same },
  { name: 'filters that fill no block', x: [3, 2, 2, 32], filters: [71, 3, 3], pad: same },
  { name: 'few filters', x: [3, 2, 2, 48], filters: [5, 3, 3], pad: same },
  { name: 'one pixel', x: [5, 1, 1, 32], filters: [32, 3, 3], pad: same },
  { name: 'one pixel, one image', x: [1, 1, 1, 16], filters: [16, 3, 3], pad: same },
  { name: 'taps that are never inside', x: [4, 1, 2, 32], filters: [32, 3, 3], pad: wide },
  { name: '5x5', x: [4, 3, 2, 32], filters: [32, 5, 5], pad: wide },
  { name: '3x5, padding of four sides', x: [4, 2, 2, 32], filters: [32, 3, 5], pad: [0, 1, 2, 3] },
]
