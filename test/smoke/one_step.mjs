// Trains one step with the built package and prints its loss: `node one_step.mjs [folder of the package]`.
// Plain JavaScript, because the Node versions of node_versions.test.ts and an installed package run it as it is.
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../../', import.meta.url)))
const { data, models, optim, Trainer } = await import(pathToFileURL(`${folder}/dist/index.js`).href)

const images = Uint8Array.from({ length: 8 * 16 * 16 }, (_, i) => (i * 37) % 256)
const labels = Int32Array.from({ length: 8 }, (_, i) => i % 4)
const trainer = new Trainer(models.create('resnet20', { numClasses: 4, inChannels: 1 }), {
  data: data.fromArrays({ images, labels, shape: [16, 16, 1] }),
  batchSize: 8,
  epochs: 1,
  seed: 1,
  optimizer: optim.sgd({ lr: 0.1 }),
})
let loss
for await (const event of trainer.fit()) if (event.type === 'step') loss = event.loss
console.log(JSON.stringify({ node: process.versions.node, loss }))
