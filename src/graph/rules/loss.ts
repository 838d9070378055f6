import { f32, type TensorType } from '../tensor.js'
import { number, reject, requireRank, requireShape, type Rule } from './rule.js'

const softmaxCrossEntropy: Rule = {
  doc: 'mean cross-entropy of softmax(logits) against labels; label -1 is ignored; counts of correct answers',
  shape(call) {
    const { shape } = requireRank(call, 'logits', 2, '[N, classes]')
    const smoothing = number(call.attributes, 'labelSmoothing')
    if (!(smoothing >= 0 && smoothing < 1)) reject(call, `labelSmoothing must be in [0, 1), got ${smoothing}`)
    for (const name of ['labels', 'labels2', 'lambda']) requireShape(call, name, [shape[0]!], 'one a sample')
    const one: TensorType = f32([1])
    return { loss: one, correct1: one, correct5: one, count: one }
  },
  gradient(g) {
    if (!g.needs('logits')) return
    const logits = g.read('logits')
    const dlogits = g.write('dlogits', logits)
    const upstream = g.arrived('loss')
    if (g.isOne(upstream)) return g.give('logits', dlogits)
    const scale = g.add('reshape', { x: upstream }, {}, { y: f32([1, 1]) }).y!
    g.give('logits', g.add('pointwise', { a: dlogits, b: scale }, { fn: 'mul', alpha: 0, beta: 0 }).y!)
  },
}

export const loss = { softmaxCrossEntropy }
