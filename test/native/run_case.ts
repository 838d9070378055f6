/** Runs cases and compares their results, in tests and in programs of their own. */
import { Graph } from '../../src/graph/graph.js'
import { run, type RunOperationOptions } from '../../src/graph/run.js'
import { serialise } from '../../src/graph/serialise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import type { HostTensor } from '../../src/runtime/dtype.js'
import { Plan } from '../../src/runtime/plan.js'
import { policyOf } from '../../src/runtime/policy.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import type { Case } from './cases/case.js'
import { layout, type Geometry } from './cases/convolution.js'
import { makeDraw } from './cases/draw.js'

export type Results = Readonly<Record<string, HostTensor>>

/** Runs a case, with guards around every buffer and a look at every result; `exact`: on small integers. */
export function runCase({ op, make, nonFinite = false }: Case, exact: boolean, options: RunOperationOptions): Promise<Results> {
  const { inputs, attributes, ...rest } = make(makeDraw(1, exact))
  return run(op, inputs, attributes, { ...rest, checked: !nonFinite, ...options })
}

/** How many images a case works on: dimension 0 of what a reduce or an elementwise map reads; of offsets for images. */
export function batchOf({ make }: Case): number {
  const { inputs } = make(makeDraw(1, false))
  return (inputs.offsets ?? Object.values(inputs)[0]!).shape[0]!
}

/**
 * How far an f32 result may be from the reference, which computes in double, in units of its largest value (at least 1, as the
 * inputs are about 1). Each of K additions rounds by up to 2^-24 of a sum that has grown to about the result; roundings
 * are as often up as down, so they add up like sqrt(K). The factor 4 leaves room for chance and for what surrounds the sum.
 */
export const toleranceOf = ({ terms = 1 }: Case): number => 4 * Math.sqrt(terms) * 2 ** -24

/** What is wrong with results, if anything. Tolerance 0: equal numbers (0 and -0 are), NaN where there is NaN. */
export function differenceOf(actual: Results, expected: Results, tolerance: number): string | undefined {
  const [got, wanted] = [actual, expected].map(each => Object.keys(each).join(', '))
  if (got !== wanted) return `the results are ${got}, not ${wanted}`
  for (const [name, tensor] of Object.entries(expected)) {
    const wrong = differenceOfTensors(actual[name]!, tensor, tolerance)
    if (wrong !== undefined) return `${name}: ${wrong}`
  }
  return undefined
}

function differenceOfTensors(actual: HostTensor, expected: HostTensor, tolerance: number): string | undefined {
  const [form, wantedForm] = [actual, expected].map(({ shape, data }) => `${data.constructor.name} [${shape.join(', ')}]`)
  if (form !== wantedForm) return `it is ${form}, not ${wantedForm}`
  const finite = Array.from(expected.data, Math.abs).filter(isFinite)
  const largest = finite.reduce((most, value) => Math.max(most, value), 1)
  const allowed = expected.data instanceof Float32Array ? tolerance * largest : 0
  const wrong = expected.data.findIndex((value, i) => {
    const other = actual.data[i]!
    return value !== other && !(Number.isNaN(value) && Number.isNaN(other)) && !(Math.abs(value - other) <= allowed)
  })
  if (wrong === -1) return undefined
  const [got, wanted] = [actual.data[wrong]!, expected.data[wrong]!]
  const error = Math.abs(got - wanted)
  return `element ${wrong} of [${expected.shape.join(', ')}] is ${got}, not ${wanted}: off by ${error}, allowed ${allowed}`
}

/** The engine of a convolution's filter gradient on the CPU. */
export async function filterGradientEngine(geometry: Geometry, ownConvolutions: boolean): Promise<string> {
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
