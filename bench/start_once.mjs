// One start of the built package in a folder, step by step, with ResNet-50: prints what each step took as a line of JSON. For startup.ts.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'

const [folder, way] = process.argv.slice(2)
const steps = {}

async function take(name, act) {
  const [began, used] = [performance.now(), process.cpuUsage()]
  const result = await act()
  const { user, system } = process.cpuUsage(used)
  steps[name] = { milliseconds: performance.now() - began, processor: (user + system) / 1000 }
  return result
}

const batchSize = 16
const shape = [224, 224, 3]
const build = name => join(folder, 'dist', name)

async function train({ Trainer, data, optim }, model) {
  const batches = { train: async function* () {}, shape, numClasses: 1000, batchesPerEpoch: 1 }
  const trainer = new Trainer(model, {
    data: data.fromBatches(batches),
    batchSize,
    epochs: 1,
    optimizer: optim.sgd({ lr: 0.1, momentum: 0.9 }),
  })
  await trainer.memory()
}

if (way === 'require') await take('require', () => createRequire(import.meta.url)(build('index.cjs')))
else {
  const all = await take('import', () => import(pathToFileURL(build('index.js')).href))
  const model = await take('create', () => all.models.create('resnet50'))
  if (way === 'train') {
    await take('train', () => train(all, model))
    const sum = what => Object.values(steps).reduce((total, step) => total + step[what], 0)
    steps.together = { milliseconds: sum('milliseconds'), processor: sum('processor') }
  } else await take('infer', () => all.compile(model, { inputs: { x: { shape: [batchSize, ...shape] } } }))
}
process.stdout.write(`${JSON.stringify(steps)}\n`)
