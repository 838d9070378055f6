/**
 * Folds the batch norms of inference into the convolutions before them, for parameters that no longer change: filters are multiplied by
 * gamma / sqrt(variance + epsilon), and what is left of the batch norm is a bias. Its operation is gone, and `fuse` can then take the
 * addition and the ReLU that follow into the convolution itself.
 */
import { readersOf, type Graph, type Node } from '../graph.js'
import { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'

/** To be used before `fuse`. Tensors in `kept` (peeked ones) stay. The graph then reads parameters of its own in place of the model's. */
export function foldBatchNorm(graph: Graph, kept: ReadonlySet<Tensor>): void {
  const { nodes } = graph
  const readers = readersOf(nodes)
  const written = new Map<Tensor, Node>(nodes.flatMap(node => (node.op === 'conv2d' ? [[node.writes.y!, node]] : [])))

  for (const norm of nodes.filter(({ op }) => op === 'batchNormInfer')) {
    const x = norm.reads.x!
    const convolution = written.get(x)
    if (!convolution || kept.has(x) || readers.get(x)!.length > 1) continue
    if (convolution.reads.residual || convolution.attributes.activation !== 'identity') continue
    const folded = fold(graph, convolution, norm)
    if (!folded) continue
    const { name } = convolution
    convolution.reads = {
      ...convolution.reads,
      w: graph.parameter(named(folded.filter, `${name}.weight`)),
      bias: graph.parameter(named(folded.bias, `${name}.bias`)),
    }
    convolution.writes = { y: norm.writes.y }
    nodes.splice(nodes.indexOf(norm), 1)
  }
}

/** The parameters of the one convolution that stands for both; undefined where an operand is no parameter. */
function fold(graph: Graph, convolution: Node, norm: Node): { filter: Parameter; bias: Parameter } | undefined {
  const valueOf = (tensor: Tensor | undefined) => tensor && graph.parameterOf(tensor)
  const filter = valueOf(convolution.reads.w)
  const bias = valueOf(convolution.reads.bias)
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map(operand => valueOf(norm.reads[operand]))
  if (!filter || !gamma || !beta || !mean || !variance || (convolution.reads.bias && !bias)) return undefined

  const epsilon = norm.attributes.epsilon as number
  const channels = gamma.size
  const taps = filter.size / channels
  const scale = (k: number) => gamma.data[k]! / Math.sqrt(variance.data[k]! + epsilon)
  // A plan that is only looked at needs no numbers.
  const folded = { filter: new Parameter(filter.shape, 'weight'), bias: new Parameter([channels], 'bias') }
  folded.filter.fillLater(values => {
    const { data } = filter
    for (let k = 0; k < channels; k++) {
      const factor = scale(k)
      for (let i = k * taps; i < (k + 1) * taps; i++) values[i] = data[i]! * factor
    }
  })
  folded.bias.fillLater(values => {
    for (let k = 0; k < channels; k++) values[k] = beta.data[k]! + ((bias?.data[k] ?? 0) - mean.data[k]!) * scale(k)
  })
  return folded
}

function named(parameter: Parameter, name: string): Parameter {
  parameter.name = name
  return parameter
}
