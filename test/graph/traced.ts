/** Traces a function on symbolic inputs, and prints what a graph does in short lines. */
import type { Node } from '../../src/graph/graph.js'
import { f32, type Shape, type Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'

export function traced<S extends Readonly<Record<string, Shape>>>(
  shapes: S,
  body: (inputs: Record<keyof S, Tensor>) => Tensor,
  training = true,
): { trace: Trace; graph: Trace['graph']; y: Tensor } {
  const trace = new Trace(training)
  const y = withTrace(trace, () => {
    const inputs = Object.entries(shapes).map(([name, shape]) => [name, trace.input(name, f32(shape))])
    return body(Object.fromEntries(inputs) as Record<keyof S, Tensor>)
  })
  return { trace, graph: trace.graph, y }
}

/** "layer1.0.bn2 batchNorm relu +residual" */
export function line({ name, op, attributes, reads }: Node): string {
  const { activation } = attributes
  const words = [name, op, typeof activation === 'string' ? activation : '', reads.residual ? '+residual' : '']
  return words.filter(word => word !== '').join(' ')
}

export const ops = (nodes: readonly Node[]): string[] => nodes.map(({ op }) => op)
