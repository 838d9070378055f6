/** Trains ResNet-20 on all cores for a while and prints how late the event loop was, in milliseconds. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { models, optim, Trainer } from '../../../src/index.js'
import { source } from '../../train/training.js'

const [seconds] = process.argv.slice(2).map(Number)
const trainer = new Trainer(models.create('resnet20', { numClasses: 4 }), {
  data: source(1280, [32, 32, 3]),
  batchSize: 128,
  epochs: 1000,
  optimizer: optim.sgd({ lr: 0.01 }),
})
const delay = monitorEventLoopDelay({ resolution: 5 })
let steps = 0
try {
  let started = false
  for await (const event of trainer.fit({ signal: AbortSignal.timeout(seconds! * 1000) })) {
    if (event.type === 'step') steps++
    // Compiling and the first step are not what is measured.
    if (!started) started = delay.enable()
  }
} catch (error) {
  if ((error as Error).name !== 'TimeoutError') throw error
}
delay.disable()
await trainer.dispose()
console.log(JSON.stringify({ steps, p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }))
