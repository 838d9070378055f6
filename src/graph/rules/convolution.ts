import { f32, type Shape } from '../tensor.js'
import { number, numbers, operand, reject, requireRank, requireShape, sizeOf, slideOver, type Rule } from './rule.js'

/** Products that are added up for one element of the output. */
function filterSize(filter: { readonly shape: Shape } | undefined): number {
  const [, r = 0, s = 0, cg = 0] = filter?.shape ?? []
  return r * s * cg
}

const conv2d: Rule = {
  doc: 'y = act(conv(x, w) + bias + residual)',
  shape(call) {
    const x = requireRank(call, 'x', 4, '[N, H, W, C]')
    const w = requireRank(call, 'w', 4, '[K, R, S, C/groups]')
    const groups = number(call.attributes, 'groups')
    const [n = 0, , , c = 0] = x.shape
    const [k = 0, r = 0, s = 0, cg = 0] = w.shape
    if (c % groups !== 0 || k % groups !== 0)
      reject(call, `${c} input and ${k} output channels are not divisible by ${groups} groups`)
    if (cg !== c / groups) {
      reject(
        call,
        `the input has ${c} channels${groups > 1 ? ` in ${groups} groups` : ''}, but the filter is made for ${cg * groups}`,
      )
    }
    const [height, width] = slideOver(call, x, [r, s], numbers(call.attributes, 'dilation'))
    requireShape(call, 'bias', [k], 'one a filter')
    requireShape(call, 'residual', [n, height, width, k], 'that of the output')
    return { y: f32([n, height, width, k]) }
  },
  gradient(g) {
    const { activation, ...geometry } = g.node.attributes
    let dy = g.arrived('y')
    if (activation === 'relu') dy = g.add('reluBwd', { dy, y: g.write('y') }, {}, { dx: dy }).dx!
    if (g.needs('residual')) g.give('residual', dy)
    if (g.needs('bias')) g.give('bias', g.add('biasBwd', { dy }, {}, { db: g.read('bias') }).db!)
    if (g.needs('w')) g.give('w', g.add('conv2dBwdFilter', { dy, x: g.read('x') }, geometry, { dw: g.read('w') }).dw!)
    if (g.needs('x')) g.give('x', g.add('conv2dBwdData', { dy, w: g.read('w') }, geometry, { dx: g.read('x') }).dx!)
  },
  macs: use => sizeOf(use, 'y') * filterSize(use.reads.w),
}

export const convolution = {
  conv2d,
  conv2dBwdData: {
    doc: 'gradient of conv2d with respect to x, plus addend',
    macs: use => sizeOf(use, 'dy') * filterSize(use.reads.w),
  } satisfies Rule,
  conv2dBwdFilter: {
    doc: 'gradient of conv2d with respect to w',
    macs: use => sizeOf(use, 'dy') * filterSize(use.writes.dw),
  } satisfies Rule,
  biasBwd: {
    doc: 'db[c] = sum of dy over all but the channels',
    shape: call => ({ db: f32([operand(call, 'dy').shape.at(-1) ?? 1]) }),
  } satisfies Rule,
}
