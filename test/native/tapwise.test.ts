/**
 * Filter gradients for which oneDNN has only a general product of matrices, as on AVX2 for planes narrower than its kernel reaches: tap by tap,
 * against the reference, with guards around every buffer.
 */
import { describe, expect, test } from 'vitest'
import { deviceInfo } from '../../src/runtime/devices.js'
import { convolutionCasesOf, type Geometry } from './cases/convolution.js'
import { tapwiseGeometries as taken } from './cases/own_convolution.js'
import { batchOf, expectResults, runCase, toleranceOf } from './helpers.js'
import { filterGradientEngine as engineOf } from './run_case.js'

const same = [1, 1, 1, 1]
const wide = [2, 2, 2, 2]

const others: readonly Geometry[] = [
  { name: 'channels that fill no vector', x: [3, 2, 2, 36], filters: [32, 3, 3], pad: same },
  { name: 'stride 2', x: [3, 2, 2, 32], filters: [32, 3, 3], stride: [2, 2], pad: same },
  { name: 'dilation 2', x: [3, 2, 2, 32], filters: [32, 3, 3], pad: wide, dilation: [2, 2] },
  { name: '2 groups', x: [3, 2, 2, 64], filters: [64, 3, 3], pad: same, groups: 2 },
  { name: '1x1', x: [3, 2, 2, 32], filters: [32, 1, 1] },
  { name: 'a window that is the whole image', x: [3, 7, 7, 16], filters: [32, 7, 7] },
]

const { instructions } = deviceInfo('cpu')
const own = `tapwise:${instructions}`

test.each([...taken, ...others])('is taken where oneDNN takes a general product: $name', async geometry => {
  const library = await engineOf(geometry, false)
  expect(library).toMatch(/^dnnl /)
  expect(await engineOf(geometry, true)).toBe(taken.includes(geometry) && library.includes(':gemm:') ? own : library)
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
