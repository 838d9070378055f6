/**
 * Filter gradients for which oneDNN has only a general product of matrices, as on AVX2 for planes narrower than its kernel reaches: tap by tap,
 * against the reference, with guards around every buffer.
 */
import { describe, expect, test } from 'vitest'
import { Graph } from '../../src/graph/graph.js'
import { serialise } from '../../src/graph/serialise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { deviceInfo } from '../../src/runtime/devices.js'
import { Plan } from '../../src/runtime/plan.js'
import { policyOf } from '../../src/runtime/policy.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { convolutionCasesOf, layout, type Geometry } from './cases/convolution.js'
import { batchOf, expectResults, runCase, toleranceOf } from './helpers.js'

const same = [1, 1, 1, 1]
const wide = [2, 2, 2, 2]

const taken: readonly Geometry[] = [
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

const others: readonly Geometry[] = [
  { name: 'channels that fill no vector', x: [3, 2, 2, 36], filters: [32, 3, 3], pad: same },
  { name: 'stride 2', x: [3, 2, 2, 32], filters: [32, 3, 3], stride: [2, 2], pad: same },
  { name: 'dilation 2', x: [3, 2, 2, 32], filters: [32, 3, 3], pad: wide, dilation: [2, 2] },
  { name: '2 groups', x: [3, 2, 2, 64], filters: [64, 3, 3], pad: same, groups: 2 },
  { name: '1x1', x: [3, 2, 2, 32], filters: [32, 1, 1] },
]

/** The engine of a geometry's filter gradient. */
async function engineOf(geometry: Geometry, ownConvolutions: boolean): Promise<string> {
  const { x, w, y, attributes } = layout(geometry)
  const graph = new Graph()
  const source = (name: string, shape: readonly number[]) => graph.source({ dtype: 'f32', shape }, name, { kind: 'input', name })
  const { dw } = graph.add('conv2dBwdFilter', 'dw', { dy: source('dy', y), x: source('x', x) }, attributes, {
    dw: { dtype: 'f32', shape: w },
  })
  graph.outputs.set('dw', dw!)
  using store = await Store.create('cpu', {})
  const rest = { checked: false, parameters: 'weights', regions: [], wholeStep: new Set<Tensor>() } as const
  const policy = policyOf({}, { ownConvolutions })
  using plan = await Plan.create(serialise(graph, { ...rest, device: 'cpu', policy, layout: new StoreLayout([]) }), store)
  return plan.engines[0]!
}

const { instructions } = deviceInfo('cpu')
const own = `tapwise:${instructions}`

test.each([...taken, ...others])('is taken where oneDNN takes a general product: $name', async geometry => {
  const library = await engineOf(geometry, false)
  expect(library).toMatch(/^dnnl /)
  expect(await engineOf(geometry, true)).toBe(taken.includes(geometry) && library.includes('gemm') ? own : library)
})

test.runIf(instructions === 'avx2')('with AVX2 that is where a plane is narrower than the kernel reaches', async () => {
  for (const geometry of taken) expect(await engineOf(geometry, true), geometry.name).toBe(own)
})

const gradients = [...taken, ...others].flatMap(geometry =>
  convolutionCasesOf([geometry])
    .filter(({ op }) => op === 'conv2dBwdFilter')
    .map(each => ({ ...each, geometry })),
)

describe.each(gradients)('$name', each => {
  const batch = batchOf(each)
  const chunks = batch > 1 ? [1, Math.ceil(batch / 2), batch - 1] : []

  test('gives what the reference gives', async () => {
    const expected = await runCase(each, false, { device: 'reference' })
    expectResults(await runCase(each, false, { device: 'cpu' }), expected, toleranceOf(each))
  })

  test('is exact on small integers, in chunks too', async () => {
    const expected = await runCase(each, true, { device: 'reference' })
    for (const cut of [{}, ...chunks.map(chunk => ({ chunk }))])
      expectResults(await runCase(each, true, { device: 'cpu', ...cut }), expected, 0)
  })

  test('may be cut into chunks, which change no bit of our own', async () => {
    const whole = await runCase(each, false, { device: 'cpu' })
    const tolerance = (await engineOf(each.geometry, true)) === own ? 0 : toleranceOf(each)
    for (const chunk of chunks) expectResults(await runCase(each, false, { device: 'cpu', chunk }), whole, tolerance)
  })
})
