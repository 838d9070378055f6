/** Compares the gradients that a graph computes with differences of its values, both on the reference device. */
import { expect } from 'vitest'
import { mul, sum } from '../../src/graph/functions.js'
import { Parameter, type ParameterRole } from '../../src/graph/parameter.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import { dtypeOf, type HostTensor, type Shape } from '../../src/runtime/dtype.js'
import { GradientPlan } from '../golden/gradients_of.js'
import { makeDraw } from './cases/draw.js'

export interface Differentiable {
  readonly name: string
  /** What the gradient is asked for. */
  readonly parameters: Readonly<Record<string, HostTensor>>
  /** Running statistics: parameters without a gradient. */
  readonly statistics?: Readonly<Record<string, HostTensor>>
  /** What stays as it is: labels. */
  readonly constants?: Readonly<Record<string, HostTensor>>
  readonly build: (parameters: Record<string, Parameter>, constants: Record<string, Tensor>) => Tensor
  /** The result is the loss itself; otherwise the loss is its product with random numbers. */
  readonly isLoss?: boolean
}

// A difference over h has an error of h^4 and gets the f32 roundings of the values, times 1/h.
const h = 2 ** -5
const tolerance = 1e-4

export async function checkGradients({
  parameters,
  statistics = {},
  constants = {},
  build,
  isLoss = false,
}: Differentiable): Promise<void> {
  const trained = Object.entries(parameters).map(([name, tensor]) => parameterOf(name, tensor, 'weight'))
  const byName = Object.fromEntries(
    [...trained, ...Object.entries(statistics).map(([name, tensor]) => parameterOf(name, tensor, 'statistic'))].map(each => [
      each.name,
      each,
    ]),
  )
  const shape = shapeOf(constants, inputs => build(byName, inputs))
  const weight = isLoss ? { shape, data: Float32Array.of(1) } : makeDraw(7, false).values(shape)

  using plan = await GradientPlan.create('reference', Object.values(byName), { ...constants, weight }, inputs => {
    const y = build(byName, inputs)
    return { loss: isLoss ? y : sum(mul(y, inputs.weight!)), outputs: { y } }
  })
  // The product is summed here, in double.
  const loss = async () => {
    const { y } = await plan.run()
    return weight.data.reduce((total, w, i) => total + w * y!.data[i]!, 0)
  }

  const computed = await plan.run()
  for (const parameter of trained) {
    const gradient = computed[`gradient/${parameter.name}`]!
    expect(gradient.shape).toEqual(parameter.shape)
    const differences = await differencesOf(parameter.data, loss)
    const largest = differences.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    for (const [i, wanted] of differences.entries()) {
      const what = `d/d ${parameter.name}[${i}]: computed ${gradient.data[i]}, by differences ${wanted}`
      expect(Math.abs(gradient.data[i]! - wanted), what).toBeLessThanOrEqual(tolerance * largest)
    }
  }
}

function parameterOf(name: string, { shape, data }: HostTensor, role: ParameterRole): Parameter {
  const parameter = new Parameter(shape, role)
  parameter.name = name
  parameter.data.set(data)
  return parameter
}

function shapeOf(constants: Differentiable['constants'] & object, build: (inputs: Record<string, Tensor>) => Tensor): Shape {
  const trace = new Trace(true)
  const types = Object.entries(constants).map(([name, { shape, data }]) => [name, { shape, dtype: dtypeOf(data) }] as const)
  return withTrace(trace, () => build(Object.fromEntries(types.map(([name, type]) => [name, trace.input(name, type)])))).shape
}

/** For every element, (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h. */
async function differencesOf(values: Float32Array, f: () => Promise<number>): Promise<number[]> {
  const result: number[] = []
  for (const [i, value] of values.entries()) {
    const at = async (x: number) => {
      values[i] = x
      return f()
    }
    const near = (await at(value + h)) - (await at(value - h))
    const far = (await at(value + 2 * h)) - (await at(value - 2 * h))
    result.push((8 * near - far) / (12 * h))
    values[i] = value
  }
  return result
}
