/**
 * Erases the last ReLU of every block of a network that is already trained, and trains it on for one epoch. The checkpoint
 * stays what it is: an erased network has the same weights under the same names.
 *
 *     npx tsx examples/erase_trained.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, eraseReLU, initialize, loadWeights, models, optim, saveWeights, Trainer, type Module } from 'eraserelu'

const source = await data.open('fashion-mnist-sample')
const makeResNet8 = () => new models.CifarResNet(8, { inChannels: 1, numClasses: 10, width: 8 })

const trainerFor = (model: Module, epochs: number, lr: number) =>
  new Trainer(model, {
    data: source,
    batchSize: 100,
    epochs,
    seed: 1,
    optimizer: optim.sgd({ lr, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    schedule: optim.cosine(),
  })

/** Trains, and tells the accuracy on the test images before and after. */
async function train(model: Module, epochs: number, lr: number): Promise<{ before: string; after: string }> {
  await using trainer = trainerFor(model, epochs, lr)
  const before = await trainer.evaluate()
  for await (const event of trainer.fit())
    if (event.type === 'epoch') console.log(`  epoch ${event.epoch} of ${epochs}: loss ${event.train.loss.toFixed(3)}`)
  const after = await trainer.evaluate()
  return { before: percent(before.accuracy), after: percent(after.accuracy) }
}

const percent = (share: number | undefined) => `${(100 * share!).toFixed(1)} %`

// A training as published, and its checkpoint.
const folder = await mkdtemp(join(tmpdir(), 'erase-trained-'))
const checkpoint = join(folder, 'resnet8.safetensors')
const published = initialize(makeResNet8(), 1)
console.log(`as published: test accuracy ${(await train(published, 2, 0.1)).after}`)
await saveWeights(published, checkpoint)

// Another day: load, erase, train on at a lower rate.
const model = makeResNet8()
await loadWeights(model, checkpoint)
await rm(folder, { recursive: true })
console.log(eraseReLU(model, { location: 'last', proportion: 1 }).toString())
const { before, after } = await train(model, 1, 0.05)
console.log(`right after erasing: test accuracy ${before}`)
console.log(`after fine-tuning: test accuracy ${after}`)
