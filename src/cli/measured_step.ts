/** Runs a planned step many times, alternately as a whole and node by node. */
import { arrayClasses, type HostArray } from '../runtime/dtype.js'
import { Plan } from '../runtime/plan.js'
import { Store } from '../runtime/store.js'
import { scalesLoss, type Precision } from '../graph/precision.js'
import { elementsOf } from '../graph/tensor.js'
import { initialState } from '../train/loss_scaling.js'
import type { StepPlan } from './random_training.js'
import { spreadOf, type Spread } from './spread.js'

export interface MeasuredStep {
  /** Of the step as it runs in a training: no waiting between nodes. */
  readonly milliseconds: Spread
  /** Of each node, waited for before the next one starts. All chunks of a tiled region together. */
  readonly nodes: readonly Spread[]
  /** The library implementation behind each node. */
  readonly engines: readonly string[]
}

export interface MeasureOptions {
  readonly steps: number
  readonly warmup: number
  readonly precision: Precision
  readonly onStep?: (done: number) => void
}

export async function measureStep(step: StepPlan, options: MeasureOptions): Promise<MeasuredStep> {
  const { desc, layout, arenas } = step
  const { steps, warmup, precision, onStep } = options
  const store = await Store.create(desc.device, arenas)
  try {
    for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
    if (arenas.state) await store.write('state', 0, initialState(scalesLoss(precision)))
    using plan = await Plan.create(desc, store)
    for (const [name, array] of Object.entries(randomArrays(step, 'resident'))) await plan.setResident(name, array)
    const inputs = randomArrays(step, 'input')
    const run = async (profile: boolean) => {
      const start = performance.now()
      const { nodeSeconds } = await plan.run([inputs], { learningRates: [0.01], profile })
      return { took: performance.now() - start, nodeSeconds }
    }
    const whole: number[] = []
    const ofNodes: number[][] = desc.nodes.map(() => [])
    for (let i = 0; i < warmup + steps; i++) {
      const { took } = await run(false)
      const { nodeSeconds } = await run(true)
      onStep?.(i + 1)
      if (i < warmup) continue
      whole.push(took)
      nodeSeconds.forEach((seconds, node) => ofNodes[node]!.push(seconds * 1000))
    }
    return { milliseconds: spreadOf(whole), nodes: ofNodes.map(spreadOf), engines: [...plan.engines] }
  } finally {
    store.dispose()
  }
}

/** Images of noise; labels, offsets and flips of 0. */
function randomArrays({ desc }: StepPlan, where: 'input' | 'resident'): Record<string, HostArray> {
  const inputs = desc.tensors.filter(({ place }) => place === where)
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => {
      const array = new arrayClasses[dtype](elementsOf(shape))
      const scale = dtype === 'u8' ? 256 : 1
      if (shape.length === 4) for (let i = 0; i < array.length; i++) array[i] = Math.random() * scale
      return [name, array]
    }),
  )
}
