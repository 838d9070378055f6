// npm run bench -- loop: what JavaScript costs a training step. The same steps of one plan, a native call each as the trainer makes
// them, and all by one native call that loops; in turn.
import { cpuModel } from '../src/cli/machine.js'
import { planStep } from '../src/cli/random_training.js'
import { elementsOf } from '../src/graph/tensor.js'
import { create } from '../src/models/index.js'
import { deviceInfo } from '../src/runtime/devices.js'
import { arrayClasses, type HostArray } from '../src/runtime/dtype.js'
import { Plan } from '../src/runtime/plan.js'
import { Store } from '../src/runtime/store.js'
import { initialState } from '../src/train/loss_scaling.js'
import { pairedRatios, spread } from './statistics.js'

export interface LoopOptions {
  readonly model: string
  readonly batchSize: number
  readonly rounds: number
  readonly steps: number
}

const device = 'cpu'

export async function measureLoop({ model: name, batchSize, rounds, steps }: LoopOptions): Promise<void> {
  const model = create(name)
  const { desc, layout, arenas } = planStep(model, { imageSize: model.imageSize, batchSize, device }, 'training')
  using store = await Store.create(device, arenas)
  for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
  await store.write('state', 0, initialState(false))
  using plan = await Plan.create(desc, store)
  const inputs: Record<string, HostArray> = {}
  for (const { name, dtype, shape } of desc.tensors.filter(({ place }) => place === 'input'))
    inputs[name] = new arrayClasses[dtype](elementsOf(shape)).map((_, i) => (dtype === 'u8' ? (i * 37) % 256 : 0))

  const learningRates = [0.01]
  /** Each step's inputs travel while the step before it runs. */
  const fromJavaScript = async () => {
    let staged = plan.stage(inputs)
    for (let step = 0; step < steps; step++) {
      const running = plan.run([staged], { step, learningRates })
      if (step + 1 < steps) staged = plan.stage(inputs)
      await running
    }
  }
  const natively = () => plan.run([inputs], { learningRates, times: steps })
  const secondsOf = async (work: () => Promise<unknown>) => {
    const start = performance.now()
    await work()
    return (performance.now() - start) / 1000
  }
  await natively()
  const [javaScript, native]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    // Who begins alternates: what slows down the machine for a while slows down both.
    const order = [
      () => secondsOf(fromJavaScript).then(s => javaScript.push(s)),
      () => secondsOf(natively).then(s => native.push(s)),
    ]
    for (const work of round % 2 === 0 ? order : order.reverse()) await work()
  }
  const show = (seconds: readonly number[]) => ((1000 * spread(seconds).median) / steps).toFixed(2)
  const { median, lowest, highest } = pairedRatios(native, javaScript)
  const { library, instructions, threads } = deviceInfo(device)
  console.log(
    `A training step of ${name}, batch ${batchSize}: ${show(javaScript)} ms from JavaScript, ${show(native)} ms by a native loop ` +
      `(medians of ${rounds} rounds of ${steps} steps).`,
  )
  console.log(
    `From JavaScript ${median.toFixed(4)} times as fast as the native loop (${lowest.toFixed(4)} to ${highest.toFixed(4)}, round by round).`,
  )
  console.log(`${library}, ${instructions}, threads: ${threads}; ${cpuModel()}`)
}
