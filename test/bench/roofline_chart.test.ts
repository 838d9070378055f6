/** Which operations `npm run bench -- ops` measures, the plans that it makes of them, and the picture it draws. */
import { describe, expect, test } from 'vitest'
import { operationsOf, planAlone } from '../../bench/operations.js'
import { drawRoofline, labelPlaces } from '../../bench/roofline_chart.js'
import { costsOf } from '../../src/graph/cost.js'
import { create } from '../../src/models/index.js'

describe('the operations of ResNet-20', () => {
  const operations = operationsOf(create('resnet20'), 16)
  const named = (kind: string) => operations.find(operation => operation.kind === kind)!

  test('those without ReLU are there in the erased network only', () => {
    const kinds = operations.filter(({ erased }) => erased).map(({ kind }) => kind)
    expect(kinds).toEqual(['bnApply + residual', 'bnBwdReduce', 'bnBwdApply'])
    expect(new Set(operations.map(({ kind }) => kind)).size).toBe(operations.length)
  })

  test('the largest of each kind, with its bytes and arithmetic', () => {
    const elements = 16 * 32 * 32 * 16
    expect(named('conv2d 3x3').arithmetic).toBe(2 * elements * 9 * 16)
    expect(named('conv2d 3x3').bytes).toBe(4 * (2 * elements + 16 * 9 * 16))
    expect(named('bnApply + ReLU').arithmetic).toBe(5 * elements)
    expect(named('bnApply + residual').arithmetic).toBe(5 * elements)
    expect(named('bnApply + residual + ReLU with mask').bytes).toBe(4 * (3 * elements + 4 * 16) + elements / 8)
  })

  test('a plan of one node moves the same bytes', () => {
    for (const operation of operations) {
      const { desc } = planAlone(operation)
      expect(desc.nodes).toHaveLength(1)
      expect(costsOf(desc)[0]!.bytes).toBe(operation.bytes)
    }
    const { desc, weights } = planAlone(named('conv2d 3x3'))
    expect(desc.tensors.filter(({ place }) => place === 'store')).toMatchObject([{ shape: [16, 3, 3, 16], offset: 0 }])
    expect(weights).toBe(16 * 9 * 16)
  })
})

const peaks = { bandwidth: 20e9, rate: 80e9 }
const points = [
  { kind: 'conv2d 3x3', erased: false, bytes: 1e6, arithmetic: 40e6, seconds: 1e-3 },
  { kind: 'bnApply + ReLU', erased: false, bytes: 10e6, arithmetic: 5e6, seconds: 1e-3 },
  { kind: 'bnApply', erased: true, bytes: 10e6, arithmetic: 4e6, seconds: 0.8e-3 },
]

test('the picture has both roofs, and each operation with what it reaches of the roof above it', async () => {
  const draw = () => drawRoofline({ title: 'A roofline', subtitle: 'a machine', peaks, points })
  const svg = await draw()
  expect(await draw()).toBe(svg)
  const words = Array.from(svg.matchAll(/>([^<>]+)<\/text>/g), ([, word]) => word)
  expect(words).toEqual(
    expect.arrayContaining([
      'A roofline',
      '20.0 GB/s',
      '80.0 GFLOP/s',
      'last ReLU erased',
      '1  conv2d 3x3: 40.0 GFLOP/s',
      '2  bnApply + ReLU: 10.0 GB/s',
      '3  bnApply: 12.5 GB/s',
      ...['1', '2', '3'],
    ]),
  )
  expect(svg).toMatch(/fill="#d1541f"[^>]*>3 {2}bnApply/)
})

test('numbers stand apart from each other and from all points', () => {
  const crowd = Array.from({ length: 12 }, (_, i) => [300 + 9 * (i % 4), 200 + 9 * Math.floor(i / 4)] as const)
  const labels = labelPlaces(crowd)
  const overlaps = labels.filter((label, i) =>
    [...crowd, ...labels.slice(0, i)].some(([x, y]) => Math.abs(x - label[0]) < 15 && Math.abs(y - label[1]) < 13),
  )
  expect(overlaps).toEqual([])
})
