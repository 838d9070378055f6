/** Ends the process while runs are pending: by process.exit, by an exception, or by running out of things to wait for. */
import { compile, models, optim, Trainer } from '../../../src/index.js'
import { source } from '../../train/training.js'

const [how] = process.argv.slice(2)
const model = models.create('resnet20', { numClasses: 4 })
const session = await compile(model, { inputs: { x: { shape: [256, 32, 32, 3] } } })
const x = new Float32Array(256 * 32 * 32 * 3)
const trainer = new Trainer(model, {
  data: source(256, [32, 32, 3]),
  batchSize: 64,
  epochs: 1,
  optimizer: optim.sgd({ lr: 0.1 }),
})
const training = (async () => {
  for await (const event of trainer.fit()) if (event.type === 'step') console.log('step')
})()
const runs = Promise.all(Array.from({ length: 5 }, () => session.run({ x })))
if (how === 'exit') setTimeout(() => process.exit(0), 50)
else if (how === 'throw')
  setTimeout(() => { throw new Error('thrown on purpose') }, 50) // prettier-ignore
else if (how === 'wait') await Promise.all([training, runs])
void training
